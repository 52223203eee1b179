import { readFile } from 'node:fs/promises'

/** Ends the engine's processes under a shell as a lack of memory would. @returns false where the system does not name them (other than Linux) */
export async function killEngine(shell: number): Promise<boolean> {
  const children = await readFile(`/proc/${shell}/task/${shell}/children`, 'utf8').catch(() => '')
  const ids = children.split(' ').filter((id) => id !== '').map(Number)
  for (const id of ids) process.kill(id, 'SIGKILL')
  return ids.length > 0
}
