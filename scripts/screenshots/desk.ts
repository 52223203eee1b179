import { cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { resolveScenes } from '#services/datasets.ts'
import { root } from '../build/ensure-built.js'

/** Files that the journey opens. */
export interface Desk {
  folder: string
  /** What the page's chooser may show. */
  places: string[]
  /** Of real models and photos, or null. */
  data: { model: string; photo: string; exported: string } | null
}

/** The bundled model without its card, a file that is no image, and where there is real data, the way to it. */
export async function layDesk(): Promise<Desk> {
  const folder = await mkdtemp(path.join(tmpdir(), 'maskscope-desk-'))
  const place = path.join(folder, 'classifiers')
  const cardless = path.join(place, 'shapes-classifier')
  await mkdir(place)
  await cp(path.join(root, 'models', 'demo'), cardless, { recursive: true, filter: (file) => path.basename(file) !== 'model-card.json' })
  // A folder per class, drawn.
  const pictures = path.join(folder, 'pictures')
  for (let seed = 2_000_000; seed < 2_000_012; seed++) {
    const [item] = resolveScenes(`scene:${seed}`)
    const { bytes, label } = await item!.load()
    await mkdir(path.join(pictures, label?.text ?? 'other'), { recursive: true })
    await writeFile(path.join(pictures, label?.text ?? 'other', `${seed}.png`), bytes)
  }
  await writeFile(path.join(place, 'scan-07.png'), 'This is a page of text under the name of a picture.')
  const data = process.env['MASKSCOPE_DATA']
  const real = data === undefined || data === '' ? null : path.resolve(data)
  return {
    folder,
    places: [place, pictures, ...(real === null ? [] : [path.join(real, 'models', 'imagenet', 'mobilenet_v2_1.0_224'), path.join(real, 'photos'),
      path.join(real, 'models', 'cifar10')])],
    data: real === null ? null : { model: 'graph-uint8', photo: 'pets.jpg', exported: 'resnet20' },
  }
}
