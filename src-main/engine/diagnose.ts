import type { Diagnosis } from '#shared/domain/executor.ts'
import { probeBackends } from './backend/select.ts'

/** What this machine can compute on, measured for some seconds. */
export async function diagnose(): Promise<Diagnosis> {
  return { backends: await probeBackends(), executors: [], rule: 'TensorFlow.js runs all models.' }
}
