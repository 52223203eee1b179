import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { openChannel } from '#engine/channel.ts'
import type { WorkerReply, WorkerRequest } from '#engine/protocol.ts'

const request: WorkerRequest = { type: 'diagnose', id: 7 }
const reply: WorkerReply = { type: 'diagnosis', id: 7, diagnosis: { backends: [], executors: [], rule: '' } }

/** As Node gives it to a forked process. */
class Forked extends EventEmitter {
  connected = true
  readonly sent: unknown[] = []
  readonly leave: (() => void)[] = []
  send = (message: unknown, _handle: undefined, _options: undefined, sent: () => void): boolean => {
    this.sent.push(message)
    this.leave.push(sent)
    return true
  }
}

test('a child process of Node: messages as they are, on their way when Node says so, nothing after the parent is gone', async () => {
  const child = new Forked()
  const channel = openChannel(child)!
  const heard: unknown[] = []
  channel.onRequest((message) => heard.push(message))
  channel.onClose(() => heard.push('closed'))
  child.emit('message', request)
  const sent = channel.send(reply)
  await expect(Promise.race([sent, 'still here'])).resolves.toBe('still here')
  child.leave[0]!()
  await sent
  expect(channel.open).toBe(true)
  child.connected = false
  child.emit('disconnect')
  void channel.send(reply)
  expect(channel.open).toBe(false)
  expect(heard).toEqual([request, 'closed'])
  expect(child.sent).toEqual([reply])
})

test("a utility process of Electron: messages come as events' data over the parent's port", () => {
  const sent: unknown[] = []
  const parentPort = Object.assign(new EventEmitter(), { postMessage: (message: unknown) => void sent.push(message) })
  const child = Object.assign(new EventEmitter(), { parentPort })
  const channel = openChannel(child)!
  const heard: unknown[] = []
  channel.onRequest((message) => heard.push(message))
  parentPort.emit('message', { data: request, ports: [] })
  void channel.send(reply)
  expect(channel.open).toBe(true)
  expect(heard).toEqual([request])
  expect(sent).toEqual([reply])
})

test('a process that nobody started as a worker has no channel', () => {
  expect(openChannel(new EventEmitter())).toBeNull()
})
