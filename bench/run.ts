/**
 * `npm run bench -- NAME [--json] [--quick]`: runs one benchmark and prints what it measured. With --json, standard output
 * holds one JSON document and nothing else. With --quick, benchmarks that take long do less.
 */
export interface Bench {
  /** What it measured, as named numbers or nested objects of them. */
  run(options: BenchOptions): Promise<object>
}

export interface BenchOptions {
  quick: boolean
}

const benches: Record<string, () => Promise<Bench>> = {
  'conv-input-gradient': () => import('./conv-input-gradient.ts'),
  'conv-filter-gradient': () => import('./conv-filter-gradient.ts'),
  'generator-epoch': () => import('./generator-epoch.ts'),
  'gradient-kernels': () => import('./gradient-kernels.ts'),
  'neuromask-step': () => import('./neuromask-step.ts'),
  executors: () => import('./executors.ts'),
  'mask-step': () => import('./mask-step.ts'),
  memory: () => import('./memory.ts'),
  pool: () => import('./pool.ts'),
  'black-box': () => import('./black-box.ts'),
  link: () => import('./link.ts'),
  window: () => import('./window.ts'),
  'compare-grid': () => import('./compare-grid.ts'),
  metrics: () => import('./metrics.ts'),
}

async function main(args: readonly string[]): Promise<void> {
  const names = args.filter((arg) => !arg.startsWith('--'))
  const load = names.length === 1 ? benches[names[0]!] : undefined
  if (!load || args.some((arg) => arg.startsWith('--') && arg !== '--json' && arg !== '--quick')) {
    console.error(`Usage: npm run bench -- NAME [--json] [--quick], where NAME is one of ${Object.keys(benches).join(', ')}.`)
    process.exitCode = 2
    return
  }
  const bench = await load()
  const result = await bench.run({ quick: args.includes('--quick') })
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  else console.log(names[0], result)
}

await main(process.argv.slice(2))
