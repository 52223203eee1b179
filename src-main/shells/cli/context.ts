/** What a command leaves for the program's end. */
export interface Context {
  exitCode: number
}

/** What a person should know, beside the result: on standard error, so that standard output stays a document. */
export function note(text: string): void {
  process.stderr.write(`note: ${text}\n`)
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2))
}
