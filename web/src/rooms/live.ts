import { call } from '../api/call'
import { events, pauseAfter } from '../api/events'
import { Problem } from '../api/problem'
import { open } from '../api/sockets'
import type { TicketView } from '../api/types'
import { resumedAfter, type RoomEvent } from './events'

export type Told = {
  signal: AbortSignal
  /** `isResumed`: nothing was missed. */
  onOpen: (isResumed: boolean) => void
  onLost: () => void
  /** How to say that one is typing; null while that cannot be said. */
  onVoice: (typing: (() => void) | null) => void
}

/** Proxies exist that let no socket through. After so many failures, events come by an answer without an end. */
const SOCKETS_TRIED = 2

/** The events of a room, live. Connects again until `signal` aborts; throws a `Problem` that will not pass. */
export async function* live(room: number, told: Told): AsyncGenerator<RoomEvent[]> {
  let last = ''
  let refused = 0
  for (let failures = 0; !told.signal.aborted; failures++) {
    if (refused >= SOCKETS_TRIED) {
      yield* streamed(room, last, told)
      return
    }
    let failure: unknown = null
    try {
      const { ticket } = await call<TicketView>('POST', `/v1/rooms/${room}/tickets`, { signal: told.signal })
      const path = `/v1/rooms/${room}/socket${last ? `?${new URLSearchParams({ after: last })}` : ''}`
      const line = open(path, JSON.stringify({ ticket }), told.signal)
      let hasBegun = false
      for await (const text of line.texts) {
        if (!hasBegun) {
          hasBegun = true
          failures = 0
          told.onOpen(last !== '')
          told.onVoice(() => line.send('{"type":"typing"}'))
        }
        const found = JSON.parse(text) as RoomEvent[]
        last = found.reduce(resumedAfter, last)
        yield found
      }
      // The reason does not matter here: if it will not pass, the next ticket is refused for it.
      refused = (await line.closed) ? 0 : refused + 1
    } catch (error) {
      if (told.signal.aborted) return
      if (!(error instanceof Problem) || !error.isPassing) throw error
      failure = error
    }
    told.onVoice(null)
    if (told.signal.aborted) return
    told.onLost()
    await pauseAfter(failures, failure, told.signal)
  }
}

async function* streamed(room: number, after: string, { signal, onOpen, onLost }: Told): AsyncGenerator<RoomEvent[]> {
  const path = (last: string) => `/v1/rooms/${room}/events${!last && after ? `?${new URLSearchParams({ after })}` : ''}`
  for await (const { event, data } of events(path, { signal, onLost, onOpen: (isResumed) => onOpen(isResumed || after !== '') })) {
    if (event !== 'end') yield JSON.parse(data) as RoomEvent[]
  }
}
