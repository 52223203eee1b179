import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface LockedPackage {
  version?: string
  resolved?: string
  integrity?: string
  hasInstallScript?: boolean
  link?: boolean
}
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, Record<string, string>>
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, LockedPackage> }
const locked = Object.entries(lock.packages).filter(([path]) => path !== '')

test('every direct dependency is pinned to one version, and the lockfile holds that version', () => {
  for (const group of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    for (const [name, version] of Object.entries(manifest[group] ?? {})) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/)
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version)
    }
  }
})

test('every locked package has an integrity hash and comes from the npm registry', () => {
  for (const [path, entry] of locked) {
    expect(entry.integrity, path).toMatch(/^sha512-/)
    // Without an address of its own a package comes from the configured registry.
    expect(entry.resolved, path).toBeUndefined()
  }
})

test('every package with an install script is listed in allowScripts', () => {
  const allowed = Object.keys(manifest['allowScripts'] ?? {})
  const withScripts = locked.filter(([, entry]) => entry.hasInstallScript).map(([path]) => path.replace(/^.*node_modules\//, ''))
  expect(withScripts.filter((name) => !allowed.includes(name) && name !== 'fsevents')).toEqual([])
})
