import { call, useHost } from '../../rpc.ts'
import { useNotices } from '../../stores/notices.ts'
import { useSession } from '../../stores/session.ts'
import { useBenchmarkSetup } from '../../stores/benchmark-setup.ts'
import { atWork, useBenchmarks } from '../../stores/benchmark.ts'
import { useCommands } from '../../stores/commands.ts'
import { useFiles } from '../../stores/files.ts'
import { useImages } from '../../stores/images.ts'
import { useModels } from '../../stores/models.ts'
import { useOrder } from '../../stores/order.ts'
import { viewShown } from '../../stores/views.ts'
import type { BenchmarkCell, benchmarkFiles } from '#shared/contract/benchmark.ts'
import { nextTick } from 'vue'
import { copyLine } from '../ui/copy-line.ts'

/** Starts what is set up, and looks at it. */
export async function startBenchmark(benchmarks: Pick<ReturnType<typeof useBenchmarks>, 'shown'>): Promise<void> {
  const started = await useBenchmarkSetup().start()
  if (started !== null) benchmarks.shown = started
}

/** A small benchmark of the bundled model, under way at once. */
export async function startDemo(): Promise<void> {
  const setup = useBenchmarkSetup()
  await setup.demo()
  await startBenchmark(useBenchmarks())
  if (setup.refusal) useNotices().fail(setup.refusal)
}

type ExportFile = (typeof benchmarkFiles)[number]
const types: Record<string, string> = { md: 'text/markdown', tex: 'text/x-tex', csv: 'text/csv', json: 'application/json', pdf: 'application/pdf', svg: 'image/svg+xml' }

/** One of the files that a benchmark writes, as far as it has come. */
export async function saveFile(file: ExportFile, metric: string): Promise<void> {
  const benchmarks = useBenchmarks()
  const notices = useNotices()
  const results = benchmarks.results
  if (!results) return
  const order = { benchmark: results.benchmark, against: results.content.against, file, metric }
  try {
    if (useSession().hello?.nativeDialogs) {
      const saved = await call('benchmark.save', order)
      if (saved.file !== null) notices.say(`Saved as ${saved.file}`)
      return
    }
    const { name, bytes } = await call('benchmark.file', order)
    useHost().download(name, bytes, types[file.split('.')[1]!]!)
    notices.say(`Saved to your downloads: ${name}`)
  } catch (error) {
    notices.fail(error)
  }
}

/** Opens an image in Explain with the method, parameters and seed that the number comes from. */
export async function openInExplain(benchmark: string, method: string, { subject }: Pick<BenchmarkCell, 'subject'>): Promise<void> {
  const notices = useNotices()
  try {
    const opened = await call('benchmark.reopen', { benchmark, method, subject })
    if (opened.message !== null) notices.fail(new Error(opened.message))
    if (opened.model) useModels().adopt(opened.model)
    useImages().adopt([opened.image])
    // Another model resets the target; the one explained comes after that.
    await nextTick()
    useOrder().adopt({ method: opened.method, parameters: opened.parameters, seed: opened.seed, target: opened.target })
    viewShown.value = 'explain'
  } catch (error) {
    notices.fail(error)
  }
}

/** What can be done in the view. @returns what takes it away */
export function registerBenchmarkCommands(): () => void {
  const benchmarks = useBenchmarks()
  const setup = useBenchmarkSetup()
  const files = useFiles()
  const state = (): string => benchmarks.current?.state ?? ''
  return useCommands().register([
    {
      id: 'benchmark-start', title: 'Start the benchmark, or go on with it', group: 'Run', keys: ['Mod+Enter'],
      enabled: () => (benchmarks.current === null ? setup.ready : ['stopped', 'paused'].includes(state())), why: () => (benchmarks.current === null ? setup.plan?.problem?.message ?? null : 'It is at work, or done.'),
      run: async () => {
        if (benchmarks.current) await benchmarks.resume(benchmarks.current.benchmark)
        else await startBenchmark(benchmarks)
      },
    },
    {
      id: 'benchmark-pause', title: 'Pause the benchmark, or go on', group: 'Run', keys: ['Space'], onStage: true, enabled: () => ['running', 'pausing', 'paused'].includes(state()),
      run: async () => {
        const { benchmark } = benchmarks.current!
        await (state() === 'running' ? benchmarks.pause(benchmark) : benchmarks.resume(benchmark))
      },
    },
    {
      id: 'benchmark-cancel', title: 'Cancel the benchmark', group: 'Run', keys: ['Mod+.'], enabled: () => atWork.includes(state() as never),
      why: () => 'Nothing is at work here.', run: async () => void (await benchmarks.cancel(benchmarks.current!.benchmark)),
    },
    { id: 'benchmark-new', title: 'Set up a benchmark', group: 'File', run: () => benchmarks.setUp() },
    {
      id: 'benchmark-open', title: 'Open the folder of a benchmark', group: 'File', run: async () => {
        const [folder] = await files.choose('benchmark')
        if (folder) await benchmarks.open(folder.handle)
      },
    },
    { id: 'benchmark-demo', title: 'Try a small benchmark of the demo', group: 'Run', run: startDemo },
    {
      id: 'benchmark-command', title: 'Copy the benchmark as command', group: 'Run', keys: ['Mod+Shift+C'], enabled: () => benchmarks.current !== null || setup.ready,
      run: () => copyLine(() => call('benchmark.command', benchmarks.current ? { benchmark: benchmarks.current.benchmark } : { order: setup.order })),
    },
    {
      id: 'benchmark-table', title: 'Save the table as LaTeX', group: 'File', keys: ['Mod+E'], enabled: () => benchmarks.results !== null, why: () => 'There are no numbers yet.',
      run: () => saveFile('table.tex', ''),
    },
  ], 'benchmark')
}
