/**
 * The code points a figure can set. Left out on purpose: scripts that need shaping or run from right to left (our
 * writers place one glyph per code point, left to right) and invisible characters.
 */
const ranges: readonly (readonly [number, number])[] = [
  [0x20, 0x7e], // ASCII
  [0xa0, 0xac], [0xae, 0x17f], // Latin-1 (without the soft hyphen) and Latin Extended-A
  [0x192, 0x192], [0x218, 0x21b], // florin, Romanian comma letters
  [0x2c6, 0x2c7], [0x2d8, 0x2dd], // spacing modifiers
  [0x370, 0x3ff], // Greek
  [0x400, 0x45f], [0x490, 0x491], // Cyrillic
  [0x2010, 0x2015], [0x2016, 0x2027], [0x2030, 0x203a], [0x2044, 0x2044], // punctuation
  [0x2070, 0x209c], // superscripts and subscripts
  [0x20ac, 0x20ac], [0x2100, 0x214f], // euro, letter-like signs
  [0x2190, 0x2199], [0x21d0, 0x21d5], // arrows
  [0x2200, 0x22ff], // mathematical operators
  [0x25a0, 0x25ff], // geometric shapes; □ stands for what no font has
  [0x2713, 0x2717], // ticks and crosses
]

export const figureCodePoints: readonly number[] = ranges.flatMap(([first, last]) =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i))
