import path from 'node:path'

/**
 * The rooms of the house and what each may import (docs/decisions.md, "Imports point one way"):
 * shared <- engine <- engine-pool <- services <- shells, shared <- storage <- services,
 * and shared <- renderer. The longest matching folder names a file's room.
 */
export const rooms = {
  'src-shared': [],
  'src-main/engine': ['src-shared'],
  'src-main/storage': ['src-shared'],
  'src-main/engine-pool': ['src-shared', 'src-main/engine'],
  'src-main/services': ['src-shared', 'src-main/engine', 'src-main/storage', 'src-main/engine-pool'],
  // the composition root, src-main/workbench.ts
  'src-main': ['src-shared', 'src-main/engine', 'src-main/storage', 'src-main/engine-pool', 'src-main/services'],
  'src-main/shells': [
    'src-shared', 'src-main/engine', 'src-main/storage', 'src-main/engine-pool', 'src-main/services', 'src-main',
  ],
  'src-renderer': ['src-shared'],
}

/** Packages that only some rooms may know. */
const packageRooms = [
  { packages: /^@tensorflow\//, rooms: ['src-main/engine'] },
  { packages: /^electron$/, rooms: ['src-main/shells'] },
]

const aliases = {
  '#shared/': 'src-shared/', '#engine/': 'src-main/engine/', '#pool/': 'src-main/engine-pool/',
  '#storage/': 'src-main/storage/', '#services/': 'src-main/services/', '#main/': 'src-main/', '#renderer/': 'src-renderer/',
}

export function roomOf(file) {
  return Object.keys(rooms)
    .filter((room) => file === room || file.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0]
}

/** Why `file` may not import `specifier`, or null. Paths are relative to the repository root, with slashes. */
export function importProblem(file, specifier) {
  const from = roomOf(file)
  if (from === undefined) return null
  const restricted = packageRooms.find((r) => r.packages.test(specifier))
  if (restricted && !restricted.rooms.includes(from)) return `${from} may not import ${specifier}`
  const nodeOnly = specifier.startsWith('node:') && (from === 'src-shared' || from === 'src-renderer')
  if (nodeOnly) return `${from} runs in the browser too and may not import ${specifier}`
  let target
  const alias = Object.keys(aliases).find((a) => specifier.startsWith(a))
  if (alias) target = aliases[alias] + specifier.slice(alias.length)
  else if (specifier.startsWith('.')) target = path.posix.join(path.posix.dirname(file), specifier)
  else return null
  const to = roomOf(target)
  if (to === from) return null
  if (to === undefined) return `${from} may not import ${target}, which belongs to no room`
  return rooms[from].includes(to) ? null : `${from} may not import ${to}: imports point the other way`
}

export default {
  meta: { type: 'problem', schema: [], messages: { wrong: '{{problem}}' } },
  create(context) {
    const file = path.relative(context.cwd, context.filename).split(path.sep).join('/')
    function check(node, source) {
      if (typeof source?.value !== 'string') return
      const problem = importProblem(file, source.value)
      if (problem) context.report({ node, messageId: 'wrong', data: { problem } })
    }
    return {
      ImportDeclaration: (node) => check(node, node.source),
      ImportExpression: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
    }
  },
}
