/**
 * The environment of a worker: what finding libraries, GPUs, temporary folders and the person's language needs, and
 * nothing else. NODE_OPTIONS, NODE_PATH, LD_PRELOAD and whatever secrets the shell holds stay outside.
 */
const names = new Set([
  'PATH', 'HOME', 'USERPROFILE', 'TMPDIR', 'TMP', 'TEMP', 'LANG', 'TZ', 'SYSTEMROOT', 'WINDIR', 'COMSPEC', 'APPDATA', 'LOCALAPPDATA',
  'PROGRAMDATA', 'PROGRAMFILES', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'OMP_NUM_THREADS',
])
const prefixes = ['LC_', 'CUDA_', 'NVIDIA_', 'TF_', 'XLA_']

export function workerEnvironment(own: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = Object.entries(own).filter(([name]) => {
    const upper = name.toUpperCase()
    return names.has(upper) || prefixes.some((prefix) => upper.startsWith(prefix))
  })
  return Object.fromEntries(kept)
}
