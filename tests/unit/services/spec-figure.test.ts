import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { unzipSync } from 'fflate'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFigureBook } from '#services/figures/book.ts'
import { knownRuns, parametersFor } from '#services/figures/compared.ts'
import { escapeLatex } from '#services/figures/latex.ts'
import { prepareFigure, sidecarOf, specFormats, writeFigure, type PreparedFigure, type SpecFormat } from '#services/figures/spec-figure.ts'
import { figureCalls } from '#main/router/figures.ts'
import type { Parts } from '#main/router/parts.ts'
import { runCli } from '#main/shells/cli/cli.ts'
import { findMethod } from '#engine/methods/registry.ts'
import { openStudy } from '#services/studies.ts'
import { openStudyForWriting, type RunResult } from '#services/study-writer.ts'
import { parseFigureSpec, type FigureSpec } from '#shared/figure/spec.ts'
import { createFiles, nodeOperations } from '#storage/files.ts'
import type { RunOrderManifest } from '#storage/manifests.ts'
import { decodeNpy } from '#storage/npy.ts'

const has = (tool: string): boolean => spawnSync(tool, ['--version']).error === undefined
/** CI installs both tools and says so; there a skipped test would be a fault. */
const required = process.env['MASKSCOPE_BROWSER_REQUIRED'] === '1'
const hasTools = has('qpdf') && has('pdffonts')
const toolsTest = (name: string, run: () => Promise<void>) => test.skipIf(!hasTools && !required)(`${name}${hasTools ? '' : ' [needs qpdf and poppler-utils]'}`, run)

const home = mkdtempSync(path.join(tmpdir(), 'maskscope-spec-'))
const folder = path.join(home, 'Study')
afterAll(() => rmSync(home, { recursive: true, force: true }))

const ids: string[] = []
let figure: PreparedFigure
let spec: FigureSpec
const own = { width: 4, height: 2, data: Float32Array.from([0, 0.25, 0.5, 1, 1, 0, 0.125, 0.75]) }

/** A study of two finished runs of one picture, by two methods, and one that was never finished. */
beforeAll(async () => {
  const study = await openStudyForWriting(folder)
  const png = await sharp({ create: { width: 40, height: 20, channels: 3, background: '#336699' } }).png().toBuffer()
  for (const method of ['neuromask', 'rise', 'lime']) {
    const order: RunOrderManifest = {
      model: {
        name: 'tiny', sha256: 'c'.repeat(64), format: 'TF.js layers model', input: { height: 2, width: 4, channels: 3 }, classes: 4, head: 'softmax',
        preprocessing: { fit: 'squash', cropFraction: 1, resizeFilter: 'box', range: [0, 1], mean: [0], std: [1], channelOrder: 'rgb' },
      },
      image: { kind: 'file', reference: 'blue & white_1.png', ...(await study.storeInput(png, 'png')), seenSha256: 'd'.repeat(64) },
      view: { picture: { width: 40, height: 20 }, crop: { left: 0, top: 0, width: 40, height: 20 }, size: { width: 4, height: 2 } },
      method, parameters: { iterations: 2 }, seed: 5, target: 'auto', changes: [], executor: 'tfjs',
    } as RunOrderManifest
    const id = study.reserveRun('blue', method)
    ids.push(id)
    await study.beginRun(id, order, { image: 'blue.png', model: 'tiny' })
    if (method === 'lime') continue
    const result: RunResult = {
      facts: {
        backend: 'wasm', executor: 'tfjs', versions: { maskscope: '0.1.0', tfjs: '4.22.0', onnxruntime: null }, target: { index: 2, label: 'sky, 100% clear' }, score: 'log-probability',
        probability: { original: 0.9, masked: 0.8 }, iterations: 2, evaluations: { forward: 5, backward: 3 }, range: [0, 1], signed: false, scale: 1, notes: [],
      },
      saliency: { width: 40, height: 20, data: new Float32Array(800) }, own, ranking: null, frames: [{ iteration: 0, map: own }, { iteration: 2, map: own }],
      losses: { columns: ['iteration', 'prediction', 'total', 'probability'], rows: [[0, 1, 3, 0.5], [1, 1, 2, 0.25], [2, 0, 1, 0.125]] },
      seconds: 1.5, device: 'a processor', executor: { id: 'tfjs', reason: 'It was asked for.', measured: {}, version: null },
    }
    await study.finishRun(id, result)
    await study.storeMetrics(id, [{ metric: 'deletion', parameters: {}, value: 0.25, details: {}, curves: [{ name: 'fill-noise', x: [0, 0.5, 1], y: [1, 0.5, 0] }], note: null, error: null, judge: null }])
  }
  await study.endRun(ids[2]!, 'failed', new Error('it was meant to'))
  await study.close()
  spec = parseFigureSpec({
    format: 'maskscope-figure', version: 1, width: 'ieee-1', title: 'A <title> & more', author: 'Ada Lövelace & Co.',
    panels: [{ kind: 'methods', runs: ids.slice(0, 2) }, { kind: 'losses', runs: ids.slice(0, 1) }, { kind: 'curves', runs: ids.slice(0, 2) }, { kind: 'table', runs: ids.slice(0, 2) }],
  })
  await createFigureBook().write(folder, 'my-figure', spec)
  figure = await prepareFigure(spec, await openStudy(folder))
})

const write = (format: SpecFormat, dpi = 100): Promise<Uint8Array> => writeFigure(figure, format, { name: 'my-figure', dpi })
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
function saved(name: string, bytes: Uint8Array): string {
  writeFileSync(path.join(home, name), bytes)
  return path.join(home, name)
}

toolsTest('the PDF passes qpdf, embeds every font, says its title and author, and holds its provenance', async () => {
  const file = saved('figure.pdf', await write('pdf'))
  expect(execFileSync('qpdf', ['--check', file], { encoding: 'utf8' })).toContain('No syntax or stream encoding errors')
  const fonts = execFileSync('pdffonts', [file], { encoding: 'utf8' }).trim().split('\n').slice(2)
  expect(fonts.length).toBeGreaterThanOrEqual(2)
  for (const row of fonts) expect(row).toMatch(/yes yes yes/)
  const info = execFileSync('pdfinfo', [file], { encoding: 'utf8' })
  expect(info).toMatch(/Title: +A <title> & more/)
  expect(info).toMatch(/Author: +Ada Lövelace & Co\./)
  expect(execFileSync('pdftotext', ['-raw', file, '-'], { encoding: 'utf8' })).toContain('NeuroMask')
  expect(execFileSync('pdfinfo', ['-meta', file], { encoding: 'utf8' })).toContain(figure.provenance.study.id)
})

test('every format carries the provenance, or stands beside it', async () => {
  const line = JSON.stringify(figure.provenance)
  const unescaped = (xml: string): string => xml.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
  expect(unescaped(text(await write('svg')))).toContain(line)
  for (const format of ['png', 'tiff'] as const) {
    const { xmp, density, width, format: kind, channels } = await sharp(await write(format, 254)).metadata()
    expect([kind, density, width, channels]).toEqual([format, 254, 889, 3])
    expect(unescaped(text(xmp!))).toContain(line)
  }
  expect(text(await write('tex'))).toContain(line)
  expect(JSON.parse(text(sidecarOf(figure)))).toMatchObject({ format: 'maskscope-provenance', spec: { title: 'A <title> & more' }, runs: [{ id: ids[0], order: { seed: 5, parameters: { iterations: 2 } }, versions: { tfjs: '4.22.0' } }, { id: ids[1] }] })
  expect(line).not.toContain(home)
})

test('LaTeX escapes what LaTeX reads, includes the figure at its width, and sets the table with booktabs', async () => {
  const tex = text(await write('tex'))
  expect(tex).toContain('\\includegraphics[width=88.9mm]{my-figure.pdf}')
  expect(tex).toMatch(/\\toprule\n {4}Method & Deletion \$\\downarrow\$ \\\\\n {4}\\midrule\n {4}NeuroMask & 0\.250 \\\\/)
  expect(escapeLatex('a_b & 50% {x} λ ≤ 1')).toBe('a\\_b \\& 50\\% \\{x\\} $\\lambda$ $\\leq$ 1')
})

test('CSV has every number, the arrays are the raw ones', async () => {
  const rows = text(await write('csv')).trim().split('\n')
  expect(rows[0]).toBe('panel,run,series,quantity,x,value,low,high')
  expect(rows).toContain(`b,${ids[0]},total,loss,1,2,,`)
  expect(rows).toContain(`c,${ids[0]},NeuroMask,deletion curve,0.5,0.5,,`)
  const members = unzipSync(await write('npz'))
  expect(Object.keys(members)).toEqual(expect.arrayContaining([`${ids[0]}/own.npy`, `${ids[1]}/frames.npy`, 'provenance.json']))
  const array = decodeNpy(members[`${ids[0]}/own.npy`]!, 'own')
  expect([array.shape, [...array.data]]).toEqual([[2, 4], [...own.data]])
})

test('the command line writes the bytes that the window writes, in every format', async () => {
  const opened = { study: await openStudy(folder) }
  const parts = { keeper: { current: async () => ({ name: 'Study', place: folder, folder, opened }) }, host: { dialogs: null } } as unknown as Parts
  const calls = figureCalls(parts)
  const context = { signal: new AbortController().signal } as never
  for (const format of specFormats) {
    const { files } = await calls['figures.file']({ name: 'my-figure', spec, format, dpi: 120 }, context)
    const out = path.join(home, 'out', `my-figure.${format}`)
    expect(await runCli(['figure', folder, '--spec', 'my-figure', '--out', out, '--dpi', '120'])).toBe(0)
    expect(Buffer.compare(readFileSync(out), files[0]!.bytes), format).toBe(0)
    expect(Buffer.compare(readFileSync(path.join(home, 'out', files[1]!.name)), files[1]!.bytes), format).toBe(0)
  }
  const { svg } = await calls['figures.draw']({ spec }, context)
  // The preview lacks the metadata alone.
  expect(text(await write('svg')).replace(/<metadata>.*<\/metadata>\n/, '')).toBe(svg)
  expect((await calls['figures.line']({ name: 'my-figure', format: 'png', dpi: 120 }, context)).command).toBe(`maskscope figure ${folder} --spec my-figure --out my-figure.png --dpi 120`)
})

test('refusals: a run that is gone, one without a result, files that are no specs, folders that cannot be written, a full disk', async () => {
  const study = await openStudy(folder)
  const about = (run: string) => prepareFigure(parseFigureSpec({ ...spec, panels: [{ kind: 'losses', runs: [run] }] }), study)
  await expect(about('0042-gone-rise')).rejects.toMatchObject({ code: 'usage', subject: '0042-gone-rise' })
  await expect(about(ids[2]!)).rejects.toMatchObject({ code: 'storage', subject: ids[2] })
  await expect(writeFigure(figure, 'png', { name: 'x', dpi: 5 })).rejects.toMatchObject({ subject: 'dpi' })
  const bad = saved('bad.json', new TextEncoder().encode('{"format": "maskscope-figure"'))
  for (const args of [['--spec', bad], ['--spec', path.join(home, 'nowhere.json')], ['--spec', 'my-figure', '--width', '100'], []]) {
    expect(await runCli(['figure', folder, ...args, '--out', path.join(home, 'x.pdf')])).toBe(2)
  }
  expect(await runCli(['figure', folder, '--spec', 'my-figure', '--out', path.join(home, 'x.docx')])).toBe(2)
  const closed = path.join(home, 'closed')
  mkdirSync(closed)
  writeFileSync(path.join(closed, 'file'), '')
  chmodSync(closed, 0o500)
  // A file where a folder is wanted stops even those whom permissions do not.
  expect(await runCli(['figure', folder, '--spec', 'my-figure', '--out', path.join(closed, 'file', 'x.pdf')])).toBe(1)
  const full = createFiles({ ...nodeOperations, rename, rm, open: (async (...args: Parameters<typeof open>) => {
    const handle = await open(...args)
    if (String(args[1]).includes('w')) handle.writeFile = () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
    return handle
  }) as typeof open })
  await expect(createFigureBook(full).write(folder, 'too-much', spec)).rejects.toThrow(/the disk is full/)
  expect(existsSync(path.join(folder, 'figures', 'too-much.json'))).toBe(false)
  expect(readdirSync(path.join(folder, 'figures'))).toEqual(['my-figure.json'])
})

test('the study keeps figures by name', async () => {
  const book = createFigureBook()
  expect(await book.read(folder, 'my-figure')).toEqual(spec)
  expect(await book.freshName(folder, 'My figure!')).toBe('my-figure-2')
  await expect(book.read(folder, '../../etc/passwd')).rejects.toMatchObject({ code: 'storage' })
  await book.write(folder, 'second', spec)
  await book.remove(folder, 'second')
  expect(await book.list(folder)).toEqual(['my-figure'])
})

test('parameters of a comparison go to all methods that have them, or to one', () => {
  const set = parametersFor([findMethod('neuromask'), findMethod('rise')], { 'neuromask.iterations': '7', masks: '50' })
  expect([...set]).toEqual([['neuromask', { iterations: '7' }], ['rise', { masks: '50' }]])
  expect(() => parametersFor([findMethod('rise')], { 'neuromask.iterations': '7' })).toThrow(/no|No method/)
})

test('a comparison knows the runs that a study has already', async () => {
  const png = readFileSync(path.join(folder, figure.loaded.runs[0]!.manifest.order.image.file))
  const item = { kind: 'file' as const, reference: 'blue.png', load: async () => ({ bytes: png }) as never }
  const { parameters } = figure.loaded.runs[0]!.manifest.order
  const wanted = [5, 6].map((seed) => ({ row: 0, column: 0, order: { model: { source: { sha256: 'c'.repeat(64) } as never, place: 'tiny' }, item, method: 'neuromask', parameters, seed, target: 'auto' as const } }))
  // The parameters of the stored run are not complete, as those of a real one are.
  expect([...(await knownRuns(folder, wanted)).values()]).toEqual([])
  expect((await knownRuns(path.join(home, 'nowhere'), wanted)).size).toBe(0)
})
