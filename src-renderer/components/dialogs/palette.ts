import type { Command } from '../../stores/commands.ts'

/** As groups stand in menus. */
const groups: readonly Command['group'][] = ['File', 'Edit', 'Run', 'Stage', 'View', 'Help']

/** Commands that a text means, the best first; without a text all of them by group. */
export function findCommands(commands: readonly Command[], text: string): Command[] {
  const asked = text.trim().toLowerCase()
  const ordered = commands.toSorted((a, b) => groups.indexOf(a.group) - groups.indexOf(b.group))
  if (asked === '') return ordered
  return ordered.map((command) => ({ command, rank: rankOf(command, asked) }))
    .filter(({ rank }) => rank !== null)
    .toSorted((a, b) => a.rank! - b.rank!)
    .map(({ command }) => command)
}

/** 0: begins so; 1: a word begins so; 2: contains; 3: every word occurs; 4: its letters in order; null: not meant. */
function rankOf({ title, group }: Command, asked: string): number | null {
  const name = title.toLowerCase()
  if (name.startsWith(asked)) return 0
  if (name.includes(` ${asked}`)) return 1
  if (name.includes(asked)) return 2
  const all = `${name} ${group.toLowerCase()}`
  if (asked.split(/\s+/).every((word) => all.includes(word))) return 3
  let at = -1
  for (const letter of asked.replaceAll(' ', '')) {
    at = name.indexOf(letter, at + 1)
    if (at === -1) return null
  }
  return 4
}

/** Under the headings of their groups, in the order they come. */
export function byGroup(commands: readonly Command[]): { group: Command['group']; commands: Command[] }[] {
  return groups.map((group) => ({ group, commands: commands.filter((command) => command.group === group) })).filter((part) => part.commands.length > 0)
}
