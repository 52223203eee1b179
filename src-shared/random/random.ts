/**
 * Seeded random numbers: splitmix32 spreads the seed and the names of the stream over the state of xoshiro128**
 * (Blackman & Vigna, 2018). Streams with different names are independent, so adding a draw to one part of a method
 * leaves every other part as it was.
 */
export interface Random {
  /** A whole number in [0, 2^32). */
  uint32(): number
  /** Uniform in [0, 1), 32 bits of it. */
  uniform(): number
  /** Uniform in [lo, hi). */
  between(lo: number, hi: number): number
  /** A whole number in [0, n). */
  below(n: number): number
  /** Standard normal (Box–Muller). */
  normal(): number
  /** Shuffles in place and returns the same array (Fisher–Yates). */
  shuffle<T>(items: T[]): T[]
}

export function createRandom(seed: number, ...stream: (string | number)[]): Random {
  let mixed = seed >>> 0
  // Seeds past 32 bits differ too.
  mixed = hashInto(mixed, Math.floor(seed / 2 ** 32) >>> 0)
  for (const part of stream) {
    if (typeof part === 'number') mixed = hashInto(hashInto(mixed, part >>> 0), 0x6e)
    else for (let i = 0; i <= part.length; i++) mixed = hashInto(mixed, i < part.length ? part.charCodeAt(i) : 0x1ff)
  }
  const next = splitmix32(mixed)
  const uint32 = xoshiro128(next(), next(), next(), next())
  let spare: number | undefined
  const uniform = (): number => uint32() / 2 ** 32

  function normal(): number {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
    const angle = 2 * Math.PI * uniform()
    spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  return {
    uint32,
    uniform,
    between: (lo, hi) => lo + (hi - lo) * uniform(),
    below: (n) => Math.floor(uniform() * n),
    normal,
    shuffle(items) {
      for (let i = items.length - 1; i > 0; i--) {
        const j = Math.floor(uniform() * (i + 1))
        const held = items[i]!
        items[i] = items[j]!
        items[j] = held
      }
      return items
    },
  }
}

/** xoshiro128** from a state of four 32-bit words, not all zero. */
export function xoshiro128(a: number, b: number, c: number, d: number): () => number {
  return () => {
    const product = Math.imul(b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = (d << 11) | (d >>> 21)
    return result
  }
}

function hashInto(state: number, value: number): number {
  let h = Math.imul(state ^ value, 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b)
  return (h ^ (h >>> 13)) >>> 0
}

function splitmix32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let t = state ^ (state >>> 16)
    t = Math.imul(t, 0x21f0aaad)
    t ^= t >>> 15
    t = Math.imul(t, 0x735a2d97)
    return (t ^ (t >>> 15)) >>> 0
  }
}
