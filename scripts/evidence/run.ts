import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

/**
 * npm run evidence -- NAME
 *
 * Runs a measurement and writes its table to docs/evidence/NAME.md, under the commit and the command that made it. A
 * module joins by a line here: it exports `measure`, which resolves to Markdown.
 */
const measurements: Record<string, { title: string; load: () => Promise<{ measure: () => Promise<string> }> }> = {
  demo: { title: 'The bundled classifiers', load: () => import('./demo.ts') },
  pretrained: { title: 'Pretrained networks on both executors', load: () => import('./pretrained.ts') },
  neuromask: { title: 'NeuroMask', load: () => import('./neuromask.ts') },
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
const table = await (await chosen.load()).measure()
const minutes = (performance.now() - started) / 60_000
const file = path.join('docs', 'evidence', `${name}.md`)
const page = [
  `# ${chosen.title}`,
  '',
  `Commit ${commit}, \`npm run evidence -- ${name}\`, ${minutes.toFixed(1)} minutes, Node ${process.versions.node}.`,
  '',
  table.trim(),
  '',
].join('\n')
await mkdir(path.dirname(file), { recursive: true })
await writeFile(file, page)
console.log(page)
console.log(`Written to ${file}.`)

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
