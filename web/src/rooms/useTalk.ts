import { useEffect, useState } from 'react'
import { events, insist } from '../api/events'
import type { Problem } from '../api/problem'
import { readMessages } from '../api/rooms'
import { after, renewed, type RoomEvent, SILENCE, type Talk } from './events'

export type Live = Talk & { isLive: boolean; problem: Problem | null }

/** The talk in a room, live. What was missed while the connection was lost comes with the next, or is read again. */
export function useTalk(room: number): Live {
  const [live, setLive] = useState<Live>({ ...SILENCE, isLive: false, problem: null })
  useEffect(() => {
    const stop = new AbortController()
    const tell = (change: (before: Live) => Partial<Live>) => {
      if (!stop.signal.aborted) setLive((before) => ({ ...before, ...change(before) }))
    }
    let hasRead = false
    const readAll = async () => {
      const messages = await insist(() => readMessages(room), stop.signal)
      hasRead = true
      tell((before) => ({ messages: renewed(before.messages, messages) }))
    }
    async function follow() {
      const options = {
        signal: stop.signal,
        onOpen: (isResumed: boolean) => {
          tell(() => ({ isLive: true }))
          if (!isResumed || !hasRead) void readAll().catch(() => undefined)
        },
        onLost: () => tell(() => ({ isLive: false })),
      }
      for await (const { event, data } of events(`/v1/rooms/${room}/events`, options)) {
        if (event === 'end') continue
        for (const each of JSON.parse(data) as RoomEvent[]) {
          if (each.type === 'reset') await readAll()
          tell((before) => after(before, each))
        }
      }
    }
    follow().catch((problem: Problem) => tell(() => ({ problem, isLive: false })))
    return () => stop.abort()
  }, [room])
  return live
}
