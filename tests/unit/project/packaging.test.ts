import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { faceIds, fontFile, unpacked } from '#services/figures/font-files.ts'

// electron-builder's own parts: it checks its configuration before it loads anything down, and so do we.
const builder = createRequire(createRequire(import.meta.url).resolve('electron-builder/package.json'))
interface Config extends Record<string, unknown> {
  files: { filter: string[] }[]
  asarUnpack: string[]
  fileAssociations: { ext: string }[]
  mac: Record<string, unknown>
  win: Record<string, unknown>
  linux: Record<string, unknown>
  nsis: { perMachine: boolean }
}
type Filter = (file: string, stat: { isDirectory(): boolean }) => boolean
interface Matcher {
  createFilter(): Filter
}
const { getConfig, validateConfiguration } = builder('app-builder-lib/out/util/config/config') as {
  getConfig(folder: string, file: null, options: null): Promise<Config>
  validateConfiguration(config: object, logger: object): Promise<void>
}
const { DebugLogger } = builder('builder-util') as { DebugLogger: new (enabled: boolean) => object }
const { FileMatcher } = builder('app-builder-lib/out/fileMatcher') as {
  FileMatcher: new (from: string, to: string, expand: (pattern: string) => string, patterns: string[]) => Matcher
}

const root = path.resolve('.')
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { devDependencies: Record<string, string>; dependencies: Record<string, string> }
const notFolder = { isDirectory: () => false }
let config: Config
let files: string[]

beforeAll(async () => {
  config = await getConfig(root, null, null)
  files = config.files.flatMap(({ filter }) => filter)
})

function matcher(patterns: string[]): (file: string) => boolean {
  const filter = new FileMatcher(root, root, (pattern) => pattern, patterns).createFilter()
  return (file) => filter(path.resolve(file), notFolder)
}

describe('the configuration of the packages', () => {
  const check = (changed: object): Promise<void> => validateConfiguration({ ...config, ...changed }, new DebugLogger(false))

  test('is one that electron-builder accepts, and a wrong one is not', async () => {
    await check({})
    await expect(check({ electronFuse: {} })).rejects.toThrow(/unknown property/)
    await expect(check({ electronFuses: { runAsNode: 'no' } })).rejects.toThrow(/runAsNode/)
  })

  test('security 10: the fuses, exactly', () => {
    expect(config['electronFuses']).toStrictEqual({
      runAsNode: false,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      grantFileProtocolExtraPrivileges: false,
    })
  })

  test('security 10: the program is in one archive, whose integrity is checked', () => {
    expect(config['asar']).toBe(true)
    expect(config).not.toHaveProperty('disableAsarIntegrity')
    expect(config).not.toHaveProperty('disableSanityCheckAsar')
  })

  test('security 11: nothing is uploaded and nothing updates itself', () => {
    expect(config['publish']).toBeNull()
    expect([...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)].filter((name) => /updater/.test(name))).toEqual([])
  })

  test('security 11: Electron is pinned to one version', () => {
    expect(manifest.devDependencies['electron']).toMatch(/^\d+\.\d+\.\d+$/)
    expect(manifest.dependencies).not.toHaveProperty('electron')
  })

  test('security 22: no package is started without its sandbox', () => {
    expect(readFileSync('electron-builder.yml', 'utf8')).not.toMatch(/no-sandbox|executableArgs/)
  })

  test('opens studies by double click', () => {
    expect(config.fileAssociations.map(({ ext }) => ext)).toEqual(['maskscope'])
    expect(config.nsis.perMachine).toBe(true)
  })

  test('names files that are there', () => {
    for (const place of [config.mac['icon'], config.mac['entitlements'], config.win['icon'], config.linux['icon']]) expect(existsSync(String(place)), String(place)).toBe(true)
  })
})

describe('what is packaged', () => {
  test.each([
    'out/main/index.js', 'out/main/worker.js', 'out/preload/index.cjs', 'out/renderer/index.html', 'models/demo/model.json', 'models/demo-judge/model-card.json',
    'package.json', 'LICENSE',
  ])('%s', (file) => {
    expect(matcher(files)(file)).toBe(true)
  })

  test.each([
    'src-main/engine/worker.ts', 'src-renderer/main.ts', 'tests/data.ts', 'docs/methods.md', 'scripts/icon/render.ts', 'bench/run.ts', '.ci/run', 'README.md',
    'out/main/cli.js', 'out/main/web.js', 'out/build-stamp', 'out/renderer/index.js.map', 'electron-builder.yml', 'bin/maskscope',
  ])('not %s', (file) => {
    expect(matcher(files)(file)).toBe(false)
  })

  test('every font of the figures, unpacked, since native code opens it', () => {
    const packed = matcher(['**/*', ...files.filter((pattern) => pattern.startsWith('!'))])
    const outside = matcher(config.asarUnpack)
    for (const id of faceIds) {
      expect(existsSync(fontFile(id)), id).toBe(true)
      expect(packed(fontFile(id)), id).toBe(true)
      expect(outside(fontFile(id)), id).toBe(true)
    }
    expect(packed('node_modules/dejavu-fonts-ttf/ttf/DejaVuSerif.ttf')).toBe(false)
    expect(packed('node_modules/@expo-google-fonts/tinos/700Bold_Italic/Tinos_700Bold_Italic.ttf')).toBe(false)
  })

  test('native packages, unpacked', () => {
    const outside = matcher(config.asarUnpack)
    for (const file of ['sharp/dist/index.mjs', '@img/sharp-linux-x64/lib/sharp-linux-x64.node', '@resvg/resvg-js-linux-x64-gnu/resvgjs.linux-x64-gnu.node', '@tensorflow/tfjs-node-gpu/lib/x.node']) {
      expect(outside(`node_modules/${file}`), file).toBe(true)
    }
    expect(outside('node_modules/zod/index.js')).toBe(false)
    expect(outside('out/main/worker.js')).toBe(false)
  })

  describe('of ONNX Runtime, from its real list of files', () => {
    const folder = 'node_modules/onnxruntime-node'
    const all = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => path.posix.join(folder, file.replaceAll('\\', '/'))) : []
    const native = all.filter((file) => /\.(node|dll|dylib)$|\.so(\.\d+)*$/.test(file))

    function kept(platform: string, arch: string): string[] {
      const expand = (pattern: string): string => pattern.replaceAll('${platform}', platform).replaceAll('${arch}', arch)
      const filter = new FileMatcher(root, root, expand, ['**/*', ...files.filter((pattern) => pattern.startsWith('!'))]).createFilter()
      return all.filter((file) => statSync(file).isFile() && filter(path.resolve(file), notFolder))
    }

    test.skipIf(all.length === 0).each([['linux', 'x64'], ['win32', 'x64'], ['darwin', 'arm64']])('exactly the libraries of %s %s, unpacked, and the code that loads them', (platform, arch) => {
      const packed = kept(platform, arch)
      const own = native.filter((file) => file.includes(`/${platform}/${arch}/`))
      expect(own.some((file) => file.endsWith('onnxruntime_binding.node'))).toBe(true)
      expect(native.length).toBeGreaterThan(own.length)
      expect(packed.filter((file) => native.includes(file))).toEqual(own)
      for (const file of own) expect(matcher(config.asarUnpack)(file), file).toBe(true)
      expect(packed).toContain(`${folder}/dist/binding.js`)
      expect(packed).toContain(`${folder}/package.json`)
      expect(packed.filter((file) => /\/(script|lib)\//.test(file))).toEqual([])
    })

    test.skipIf(all.length === 0)('none for Macs with an Intel processor, for which there is none', () => {
      expect(kept('darwin', 'x64').filter((file) => native.includes(file))).toEqual([])
    })
  })

  test.each([
    ['/opt/Maskscope/resources/app.asar/node_modules/x/a.ttf', '/opt/Maskscope/resources/app.asar.unpacked/node_modules/x/a.ttf'],
    ['C:\\M\\resources\\app.asar\\node_modules\\a.ttf', 'C:\\M\\resources\\app.asar.unpacked\\node_modules\\a.ttf'],
    ['/home/ada/maskscope/node_modules/x/a.ttf', '/home/ada/maskscope/node_modules/x/a.ttf'],
  ])('a font in %s is opened as %s', (file, opened) => {
    expect(unpacked(file)).toBe(opened)
  })
})

test('the icon is a picture of 1024 pixels and few bytes', async () => {
  const bytes = readFileSync('build/icon.png')
  expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', width: 1024, height: 1024, hasAlpha: true })
  expect(bytes.length).toBeLessThan(64 * 1024)
})

describe('security 3: the built window', () => {
  const html = readFileSync('out/renderer/index.html', 'utf8')

  test('has nothing inline: no script, style or handler', () => {
    for (const [, attributes, text] of html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/gi)) {
      expect(attributes).toMatch(/\bsrc="\.?\//)
      expect(text!.trim()).toBe('')
    }
    expect(html).toMatch(/<script\b/)
    expect(html).not.toMatch(/<style\b|\sstyle=|\son[a-z]+=|javascript:/i)
  })

  test('loads nothing from elsewhere', () => {
    expect(html).not.toMatch(/(?:src|href)="(?:[a-z]+:|\/\/)/i)
  })
})
