const mostCharacters = 120

/**
 * A name to suggest for a file, safe on every system: without folders, control characters, signs that some system
 * forbids, leading dots, trailing dots and spaces, and device names of Windows; at most 120 characters with its ending.
 */
export function safeFileName(name: string, fallback = 'figure'): string {
  const last = name.normalize('NFC').split(/[\\/]/).at(-1) ?? ''
  // Control, format, surrogate and private characters: they hide an ending or turn the text around.
  const cleaned = last.replace(/[\p{C}<>:"|?*]/gu, '-').replace(/^[.\s]+/, '').replace(/[.\s]+$/, '')
  const dot = cleaned.lastIndexOf('.')
  const ending = dot > 0 && cleaned.length - dot <= 12 ? cleaned.slice(dot) : ''
  const stem = [...cleaned.slice(0, cleaned.length - ending.length)].slice(0, mostCharacters - ending.length).join('').replace(/[.\s]+$/, '')
  const kept = stem.replace(/^-+$/, '') === '' ? fallback : stem
  return (/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(kept) ? `${fallback}-${kept}` : kept) + ending
}
