import { createRequire } from 'node:module'

// Written as CommonJS, a megabyte each: the loader of ES modules reads every one twice over for the names it exports, which took half
// of a worker's start.
export const packages = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', '@tensorflow/tfjs-converter', '@tensorflow/tfjs-backend-cpu', '@tensorflow/tfjs-backend-wasm']
const prefix = '\0required:'
const require = createRequire(import.meta.url)

/**
 * Has TensorFlow.js loaded by `require` where our files import it; it is the same object either way.
 * @param from where to look for the packages at run time, as JavaScript
 */
export function requiredPackages(from = 'import.meta.url') {
  return {
    name: 'required-packages',
    enforce: 'pre',
    resolveId: (id) => (packages.includes(id) ? { id: prefix + id, moduleSideEffects: true } : null),
    load(id) {
      if (!id.startsWith(prefix)) return null
      const name = id.slice(prefix.length)
      const names = Object.keys(require(name)).filter((key) => /^[A-Za-z_$][\w$]*$/.test(key) && key !== 'default' && key !== '__esModule')
      return `import { createRequire } from 'node:module'
const all = createRequire(${from})('${name}')
const { ${names.map((key, i) => `${key}: $${i}`).join(', ')} } = all
export { ${names.map((key, i) => `$${i} as ${key}`).join(', ')} }
export default all`
    },
  }
}
