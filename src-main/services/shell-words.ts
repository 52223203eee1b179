/**
 * Words as one line to be pasted into a shell: POSIX quoting; on Windows double quotes, as cmd and PowerShell take them.
 * (There a % between two others stays what it is to cmd, a variable.)
 */
export function commandLine(words: readonly string[], platform: NodeJS.Platform): string {
  return words.map(platform === 'win32' ? quoteForWindows : quoteForPosix).join(' ')
}

function quoteForPosix(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll('\'', '\'\\\'\'')}'`
}

function quoteForWindows(word: string): string {
  if (/^[\w./:=@+\\-]+$/.test(word)) return word
  // A backslash before a quote would hide it from the program.
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, '$&$&')}"`
}
