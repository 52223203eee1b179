import { MaskscopeError } from '#shared/domain/errors.ts'

type Call = (...args: never[]) => unknown

/**
 * The same calls, whose refusals name files as the person knows them.
 * @param told takes out of a text what only the program knows
 */
export function toldBy<Calls extends object>(calls: Calls, told: (text: string) => string): Calls {
  const wrapped = Object.entries(calls as Record<string, Call>).map(([name, call]) => [name, async (...args: never[]) => {
    try {
      return await call(...args)
    } catch (error) {
      if (!(error instanceof MaskscopeError)) throw error
      const { code, message, subject } = error
      throw new MaskscopeError(code, told(message), { cause: error, ...(subject === undefined ? {} : { subject: told(subject) }) })
    }
  }])
  return Object.fromEntries(wrapped) as Calls
}
