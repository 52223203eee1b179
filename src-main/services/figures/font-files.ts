import { createRequire } from 'node:module'
import path from 'node:path'
import type { FaceId } from '#shared/figure/faces.ts'

const packages = createRequire(import.meta.url)

const files: Record<FaceId, readonly [packageName: string, file: string]> = {
  'arimo-regular': ['@expo-google-fonts/arimo', '400Regular/Arimo_400Regular.ttf'],
  'arimo-bold': ['@expo-google-fonts/arimo', '700Bold/Arimo_700Bold.ttf'],
  'arimo-italic': ['@expo-google-fonts/arimo', '400Regular_Italic/Arimo_400Regular_Italic.ttf'],
  'tinos-regular': ['@expo-google-fonts/tinos', '400Regular/Tinos_400Regular.ttf'],
  'tinos-bold': ['@expo-google-fonts/tinos', '700Bold/Tinos_700Bold.ttf'],
  'tinos-italic': ['@expo-google-fonts/tinos', '400Regular_Italic/Tinos_400Regular_Italic.ttf'],
  'stix-regular': ['@expo-google-fonts/stix-two-text', '400Regular/STIXTwoText_400Regular.ttf'],
  'stix-bold': ['@expo-google-fonts/stix-two-text', '700Bold/STIXTwoText_700Bold.ttf'],
  'stix-italic': ['@expo-google-fonts/stix-two-text', '400Regular_Italic/STIXTwoText_400Regular_Italic.ttf'],
  'dejavu-regular': ['dejavu-fonts-ttf', 'ttf/DejaVuSans.ttf'],
  'dejavu-bold': ['dejavu-fonts-ttf', 'ttf/DejaVuSans-Bold.ttf'],
  'dejavu-italic': ['dejavu-fonts-ttf', 'ttf/DejaVuSans-Oblique.ttf'],
}

export const faceIds = Object.keys(files) as FaceId[]

/** Path of a face's TTF file in its npm package. */
export function fontFile(id: FaceId): string {
  const [packageName, file] = files[id]
  return unpacked(path.join(path.dirname(packages.resolve(`${packageName}/package.json`)), file))
}

/** In the packaged program: beside the archive, since resvg opens fonts itself and knows nothing of archives. */
export function unpacked(file: string): string {
  return file.replace(/([\\/]app\.asar)(?=[\\/])/, '$1.unpacked')
}
