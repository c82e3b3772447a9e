import { useSyncExternalStore } from 'react'
import { randomKey } from '../api/keys'
import { insist } from '../api/events'
import { linkOf } from '../api/owned'
import { postMessage } from '../api/rooms'
import { session } from '../api/session'
import type { Gathered } from '../send/gathering'
import { Pace } from '../send/pace'
import { type Failure, upload } from '../send/upload'

/** A file on its way into a room: it is uploaded, then shared by a link, then posted. */
export type Passing = {
  id: string
  room: number
  file: File
  name: string
  sent: number
  millisecondsLeft: number | null
  failure: Failure['kind'] | null
}

const DAY_MINUTES = 24 * 60
const AGAIN = 3000
const NONE: readonly Passing[] = []
const byRoom = new Map<number, readonly Passing[]>()
const running = new Map<string, (forGood?: boolean) => void>()
const listeners = new Set<() => void>()
let count = 0

addEventListener('beforeunload', (event) => {
  if (running.size > 0) event.preventDefault()
})

// Nothing of one account goes on, or is shown, for the next.
let sender = session.get()?.id
session.subscribe(() => {
  const now = (session.get() ?? session.getEnded())?.id
  if (now !== sender) for (const passing of [...byRoom.values()].flat()) drop(passing)
  sender = now
})

function put(room: number, passing: readonly Passing[]) {
  byRoom.set(room, passing)
  for (const listener of listeners) listener()
}

function change({ id, room }: Passing, changes: Partial<Passing>) {
  put(room, (byRoom.get(room) ?? NONE).map((each) => (each.id === id ? { ...each, ...changes } : each)))
}

/** The files that are on their way into a room. They go on while another room or place is looked at. */
export function usePassing(room: number): readonly Passing[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => byRoom.get(room) ?? NONE,
  )
}

/** Send files into a room. `longest`: the longest life that a share may have here, in seconds. */
export function pass(room: number, gathered: readonly Gathered[], longest: number | null, replyTo: string | null) {
  for (const { file, name } of gathered) {
    const passing = { id: `${Date.now()}-${count++}`, room, file, name, sent: 0, millisecondsLeft: null, failure: null }
    put(room, [...(byRoom.get(room) ?? NONE), passing])
    begin(passing, Math.min(DAY_MINUTES, Math.floor((longest ?? Infinity) / 60)), replyTo)
  }
}

export function drop(passing: Passing) {
  running.get(passing.id)?.(true)
  running.delete(passing.id)
  put(passing.room, (byRoom.get(passing.room) ?? NONE).filter(({ id }) => id !== passing.id))
}

function begin(passing: Passing, minutes: number, replyTo: string | null) {
  const pace = new Pace()
  let drawn = 0
  const metadata = { filename: passing.name, share: 'link', expire_style: 'minute', expire_value: String(minutes) }
  const stop = upload(passing.file, { name: `room-${passing.id}`, metadata }, {
    onProgress: (bytes) => {
      pace.note(bytes, performance.now())
      if (performance.now() - drawn < 200) return
      drawn = performance.now()
      change(passing, { sent: bytes, millisecondsLeft: pace.millisecondsFor(passing.file.size - bytes) })
    },
    onDone: (code) => {
      change(passing, { sent: passing.file.size, millisecondsLeft: null })
      if (code) post(passing, code, replyTo).catch(() => fail(passing, 'refused'))
    },
    onFailed: ({ kind }) => {
      if (kind === 'lost') {
        const timer = setTimeout(() => begin(passing, minutes, replyTo), AGAIN)
        running.set(passing.id, () => clearTimeout(timer))
      } else fail(passing, kind)
    },
  })
  running.set(passing.id, stop)
}

function fail(passing: Passing, failure: Failure['kind']) {
  running.delete(passing.id)
  change(passing, { failure })
}

async function post(passing: Passing, code: string, replyTo: string | null) {
  const share = await insist(() => linkOf(code), new AbortController().signal)
  const key = randomKey()
  await insist(() => postMessage(passing.room, { share_id: share.id, reply_to: replyTo }, key), new AbortController().signal)
  running.delete(passing.id)
  drop(passing)
}
