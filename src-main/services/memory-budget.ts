import { totalmem } from 'node:os'

const megabyte = 2 ** 20
const least = 1024 * megabyte

/**
 * What all engine processes together may take, in bytes; batches are cut to it.
 * @param megabytes as a person set it; null: a quarter of the machine's memory, at least 1 GB
 */
export function memoryBudget(megabytes: number | null, machine: number = totalmem()): number {
  return megabytes === null ? Math.max(least, Math.floor(machine / 4)) : megabytes * megabyte
}
