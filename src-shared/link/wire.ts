/**
 * One end of a channel that carries structured messages in order, with Uint8Array and Float32Array in them as they are.
 * There are three: MessagePort, WebSocket and memory.
 */
export interface Wire {
  send(message: unknown): void
  /** One listener; messages that came before it are kept for it. */
  onMessage(listener: (message: unknown) => void): void
  /** Called once, with why where that is known; also where it is closed already. */
  onClose(listener: (reason: string) => void): void
  close(): void
  /** Bytes that wait to be sent; 0 where the wire cannot tell. */
  buffered(): number
}
