import type { Page } from 'playwright-core'
import type { Course, RunsEvent } from '#shared/contract/runs.ts'
import { decodeMessage } from '#shared/link/codec.ts'

/** What went over the link of one window, connection by connection. */
export interface Connection {
  /** Names of the calls answered, in order. */
  answered: string[]
  courses: Course[]
  events: RunsEvent[]
}

type Message = { type: string; id: number; name?: string; input?: unknown; value?: unknown; event?: unknown }

/** Listens to what the page hears; before the page opens its link. */
export function tapLink(page: Page): Connection[] {
  const connections: Connection[] = []
  page.on('websocket', (socket) => {
    const connection: Connection = { answered: [], courses: [], events: [] }
    connections.push(connection)
    const asked = new Map<number, string>()
    socket.on('framesent', ({ payload }) => {
      if (typeof payload === 'string') return
      const message = decodeMessage(payload) as Message
      if (message.name !== undefined) asked.set(message.id, message.name)
    })
    socket.on('framereceived', ({ payload }) => {
      if (typeof payload === 'string') return
      const message = decodeMessage(payload) as Message
      const name = asked.get(message.id)
      if (message.type === 'event' && name === 'runs.watch') connection.events.push(message.event as RunsEvent)
      if (message.type !== 'result' || name === undefined) return
      connection.answered.push(name)
      if (name === 'runs.course') connection.courses.push(message.value as Course)
    })
  })
  return connections
}

/** Iterations of a run's losses that came as steps. */
export function stepsHeard(connection: Connection, run: string): number[] {
  return connection.events.flatMap((event) => (event.type === 'progress' && event.run === run ? [event.iteration] : []))
}
