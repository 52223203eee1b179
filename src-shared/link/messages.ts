import type { SerialisedError } from '../domain/errors.ts'

/** What the window sends. Ids are the window's own: whole numbers from 1, each used once. */
export type Request =
  | { type: 'call'; id: number; name: string; input: unknown }
  | { type: 'abort'; id: number }
  | { type: 'watch'; id: number; name: string; input: unknown }
  | { type: 'unwatch'; id: number }
  /** The event of this key has been dealt with, so that the next may be sent. */
  | { type: 'seen'; id: number; key: string }

/** What the main side sends. */
export type Reply =
  | { type: 'result'; id: number; value: unknown }
  | { type: 'error'; id: number; error: SerialisedError }
  /** With a key: to be answered with `seen`. */
  | { type: 'event'; id: number; event: unknown; key?: string }
  | { type: 'end'; id: number; error: SerialisedError | null }

const requestTypes = ['call', 'watch', 'abort', 'unwatch', 'seen']
const replyTypes = ['result', 'error', 'event', 'end']
const codes = ['usage', 'input', 'run', 'worker', 'storage', 'unavailable', 'cancelled']

/** @returns null for what the window could not have sent */
export function asRequest(message: unknown): Request | null {
  if (!isMessage(message, requestTypes)) return null
  const { type } = message
  if ((type === 'call' || type === 'watch') && !isName(message['name'])) return null
  if (type === 'seen' && !isName(message['key'])) return null
  return message as unknown as Request
}

/** @returns null for what the main side could not have sent */
export function asReply(message: unknown): Reply | null {
  if (!isMessage(message, replyTypes)) return null
  const { type, error, key } = message
  if (type === 'error' && !isError(error)) return null
  if (type === 'end' && error !== null && !isError(error)) return null
  if (type === 'event' && key !== undefined && !isName(key)) return null
  return message as unknown as Reply
}

function isMessage(message: unknown, types: readonly string[]): message is Record<string, unknown> {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return false
  const { type, id } = message as Record<string, unknown>
  return typeof type === 'string' && types.includes(type) && Number.isSafeInteger(id) && (id as number) > 0
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length <= 256
}

function isError(value: unknown): value is SerialisedError {
  if (typeof value !== 'object' || value === null) return false
  const { code, message, subject } = value as Record<string, unknown>
  return typeof code === 'string' && codes.includes(code) && typeof message === 'string'
    && (subject === undefined || typeof subject === 'string')
}
