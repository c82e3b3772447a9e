import type { Message } from '../api/rooms'

/** The messages of a room and who is there, as its events tell it. */
export type Talk = { messages: Message[]; online: ReadonlySet<string>; isClosed: boolean }

export const SILENCE: Talk = { messages: [], online: new Set(), isClosed: false }

export type RoomEvent =
  | ({ type: 'message' } & Message)
  | { type: 'edit'; message_id: string; text: string }
  | { type: 'delete'; message_id: string }
  | { type: 'presence'; online?: string[]; offline?: string[]; complete?: boolean }
  | { type: 'closed' }
  | { type: 'joined' | 'left' | 'removed' | 'muted' | 'room' | 'typing' | 'reset' }

export function after(talk: Talk, event: RoomEvent): Talk {
  switch (event.type) {
    case 'message':
      return { ...talk, messages: merged(talk.messages, [event]) }
    case 'edit':
      return {
        ...talk,
        messages: talk.messages.map((each) => (each.id === event.message_id ? { ...each, text: event.text, edited: true } : each)),
      }
    case 'delete':
      return { ...talk, messages: talk.messages.filter((each) => each.id !== event.message_id) }
    case 'presence':
      return { ...talk, online: present(talk.online, event) }
    case 'closed':
      return { ...talk, isClosed: true }
    default:
      return talk
  }
}

/** No room keeps more messages. */
const CAPACITY = 1000

/** Both lists as one, each message once, in the order in which they were posted. */
export function merged(messages: Message[], more: Message[]): Message[] {
  const known = new Map([...messages, ...more].map((message) => [message.id, message]))
  return [...known.values()].sort((one, other) => order(one.id, other.id)).slice(-CAPACITY)
}

/** The messages as they were just read, in place of those known; only what was posted since then is kept of these. */
export function renewed(known: Message[], read: Message[]): Message[] {
  const last = read.at(-1)
  return merged(read, last ? known.filter((message) => order(message.id, last.id) > 0) : [])
}

function order(one: string, other: string): number {
  const [time = 0, number = 0] = one.split('-').map(Number)
  const [otherTime = 0, otherNumber = 0] = other.split('-').map(Number)
  return time - otherTime || number - otherNumber
}

function present(online: ReadonlySet<string>, event: { online?: string[]; offline?: string[]; complete?: boolean }) {
  const now = new Set(event.complete ? [] : online)
  for (const account of event.online ?? []) now.add(account)
  for (const account of event.offline ?? []) now.delete(account)
  return now
}

/** How visible a message still is: whole at first, and fading over the last fifth of its life. */
export function visibility(postedAt: number, now: number, lifetimeSeconds: number): number {
  const left = 1 - (now - postedAt) / (lifetimeSeconds * 1000)
  return left <= 0 ? 0 : Math.min(1, 0.55 + left * 2.25)
}
