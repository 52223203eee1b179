import { existsSync } from 'node:fs'
import path from 'node:path'
import { runFiles, runsFolder } from '#storage/layout.ts'
import type { RunManifest, RunRecord } from '#storage/manifests.ts'

/** A run in the document that `--json` prints. Paths are relative to the study, with slashes. */
export interface RunSummary {
  id: string
  /** As it was given. */
  image: string
  model: { name: string; sha256: string }
  method: string
  parameters: Record<string, number | string | boolean>
  /** On the way; empty where nothing changed. */
  changes: { iteration: number; parameters: Record<string, number | string | boolean> }[]
  seed: number
  target: { index: number; label: string | null }
  /** The score's name. */
  score: string
  /** null where the classifier's outputs are not probabilities. */
  probability: { original: number | null; masked: number | null }
  iterations: number
  seconds: number
  evaluations: { forward: number; backward: number }
  /** `.npy`, float32 [H, W], raw values, 0 outside the crop. */
  saliency: string
  /** The map's possible limits; null: unbounded. */
  range: readonly [number | null, number | null]
  signed: boolean
  /** [left, top, width, height] in pixels of the original picture. */
  crop: [number, number, number, number]
  /** Pixels of the map per pixel of the picture. */
  scale: number
  figure: string | null
}

/** @param figure the figure's name in the run's folder, or null where there is none */
export function summariseRun(run: { id: string; manifest: RunManifest; record: RunRecord }, figure: string | null): RunSummary {
  const { id, manifest, record } = run
  const { order } = manifest
  const { left, top, width, height } = order.view.crop
  return {
    id,
    image: record.found.image,
    model: { name: order.model.name, sha256: order.model.sha256 },
    method: order.method,
    parameters: order.parameters,
    changes: order.changes,
    seed: order.seed,
    target: manifest.target,
    score: manifest.score,
    probability: manifest.probability,
    iterations: manifest.iterations,
    seconds: record.seconds ?? 0,
    evaluations: manifest.evaluations,
    saliency: `${runsFolder}/${id}/${runFiles.saliency}`,
    range: manifest.range,
    signed: manifest.signed,
    crop: [left, top, width, height],
    scale: manifest.scale,
    figure: figure === null ? null : `${runsFolder}/${id}/${figure}`,
  }
}

/** The name of the figure in a run's folder, where one has been made. */
export function figureOf(run: { folder: string }): string | null {
  return existsSync(path.join(run.folder, runFiles.figure)) ? runFiles.figure : null
}
