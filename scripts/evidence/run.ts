import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { placeSection, type Section } from './sections.ts'

/**
 * npm run evidence -- NAME [its own arguments]
 *
 * Runs a measurement and writes its table to docs/evidence/NAME.md, under the commit and the command that made it. A
 * module joins by a line here: it exports `measure`, which resolves to Markdown, or, where what it writes are sections of a
 * page, `measureSections`, which yields them one by one, and `page`, its file.
 */
type Measurement = { measure: (args: readonly string[]) => Promise<string> } | { measureSections: (args: readonly string[]) => AsyncIterable<Section>; page: string }

const measurements: Record<string, { title: string; load: () => Promise<Measurement> }> = {
  demo: { title: 'The bundled classifiers', load: () => import('./demo.ts') },
  pretrained: { title: 'Pretrained networks on both executors', load: () => import('./pretrained.ts') },
  neuromask: { title: 'NeuroMask', load: () => import('./neuromask.ts') },
  benchmark: { title: 'All methods compared', load: () => import('./benchmark.ts') },
  reconstruction: { title: 'Saliency map reconstruction', load: () => import('./reconstruction.ts') },
}

const name = process.argv[2]
const chosen = name === undefined ? undefined : measurements[name]
if (name === undefined || chosen === undefined) {
  console.error(`Say what to measure: npm run evidence -- NAME, where NAME is one of ${Object.keys(measurements).join(', ')}.`)
  process.exit(2)
}

// Before the work: a measurement takes minutes, in which others may commit.
const commit = describeCommit()
let started = performance.now()
const args = process.argv.slice(3)
const measurement = await chosen.load()
if ('measure' in measurement) {
  const table = await measurement.measure(args)
  await write(path.join('docs', 'evidence', `${name}.md`), [`# ${chosen.title}`, '', made(), '', table.trim(), ''].join('\n'))
} else {
  for await (const { name: section, text } of measurement.measureSections(args)) {
    const before = await readFile(measurement.page, 'utf8').catch(() => `# ${chosen.title}\n`)
    await write(measurement.page, placeSection(before, { name: section, text }, made()))
    started = performance.now()
  }
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, text)
  console.log(`Written to ${file}.`)
}

function made(): string {
  const minutes = (performance.now() - started) / 60_000
  return `Commit ${commit}, \`npm run evidence -- ${[name, ...args].join(' ')}\`, ${minutes.toFixed(1)} minutes${'measure' in measurement ? '' : ' in its last sitting'}, Node ${process.versions.node}.`
}

/** The commit that was measured, and whether the working tree differed from it. */
function describeCommit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!docs') !== ''
    return git('rev-parse', '--short=12', 'HEAD') + (changed ? ' with changes' : '')
  } catch {
    return 'unknown'
  }
}
