const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** 10 to a whole power, in signs: "10⁻³". */
export function powerOfTen(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((d) => superscripts[Number(d)] as string).join('')
  return `10${exponent < 0 ? '⁻' : ''}${digits}`
}

/** A probability as papers print it: ".88", "1.00"; two significant digits below .01, a power of ten below .0001. */
export function probabilityText(p: number): string {
  if (p >= 0.995) return '1.00'
  if (p >= 0.01) return p.toFixed(2).slice(1)
  if (p === 0) return '0'
  if (p >= 0.0001) return trimZeros(p.toPrecision(2)).slice(1)
  return scientific(p, 2)
}

/** A number at `digits` significant digits, with a true minus and powers of ten where plain digits would mislead. */
export function numberText(value: number, digits = 3): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size < 1e-4 || size >= 1e6) return scientific(value, digits)
  // Whole digits are never replaced by zeros.
  const rounded = size >= 10 ** digits ? value.toFixed(0) : trimZeros(Number(value.toPrecision(digits)).toFixed(12))
  return minus(rounded)
}

function scientific(value: number, digits: number): string {
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e') as [string, string]
  const short = minus(trimZeros(mantissa))
  return short === '1' ? powerOfTen(Number(exponent)) : `${short} × ${powerOfTen(Number(exponent))}`
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

function minus(text: string): string {
  return text.replace('-', '−')
}
