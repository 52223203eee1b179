import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

/**
 * npm run evidence -- NAME [its own arguments]
 *
 * Runs a measurement and writes its table to docs/evidence/NAME.md, under the commit and the command that made it. A
 * module joins by a line here: it exports `measure`, which resolves to Markdown, and `page` where its place is below a mark
 * in another page.
 */
interface Measurement {
  measure: (args: readonly string[]) => Promise<string>
  page?: { file: string; mark: string }
}

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
const started = performance.now()
const args = process.argv.slice(3)
const { measure, page } = await chosen.load()
const table = await measure(args)
const minutes = (performance.now() - started) / 60_000
const file = page?.file ?? path.join('docs', 'evidence', `${name}.md`)
const made = `Commit ${commit}, \`npm run evidence -- ${[name, ...args].join(' ')}\`, ${minutes.toFixed(1)} minutes, Node ${process.versions.node}.`
const text = page ? [`${await above(page.file, page.mark)}${page.mark}`, '', made, '', table.trim(), ''].join('\n') : [`# ${chosen.title}`, '', made, '', table.trim(), ''].join('\n')
await mkdir(path.dirname(file), { recursive: true })
await writeFile(file, text)
console.log(text)
console.log(`Written to ${file}.`)

/** What stands above the mark of a page, or all of it. */
async function above(target: string, mark: string): Promise<string> {
  const whole = await readFile(target, 'utf8').catch(() => '')
  const at = whole.indexOf(mark)
  return at < 0 ? `${whole.trimEnd()}\n\n` : whole.slice(0, at)
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
