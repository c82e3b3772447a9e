import type { Message } from '../api/rooms'

/** The messages of a room, who is there and who is typing, as its events tell it. Names are by account. */
export type Talk = {
  messages: Message[]
  online: ReadonlyMap<string, string>
  typing: ReadonlyMap<string, Typing>
  isClosed: boolean
}
export type Typing = { name: string; at: number }

export const SILENCE: Talk = { messages: [], online: new Map(), typing: new Map(), isClosed: false }

type Someone = { account_id: string; name?: string }
export type RoomEvent =
  | ({ type: 'message' } & Message)
  | { type: 'edit'; id?: string; message_id: string; text: string }
  | { type: 'delete'; id?: string; message_id: string }
  | { type: 'presence'; online: Someone[]; offline: Someone[]; complete: boolean; last_event?: string | null }
  | { type: 'typing'; account_id: string; name: string }
  | { type: 'closed'; id?: string }
  | { type: 'reset'; id: string | null }
  | { type: 'joined' | 'left' | 'removed' | 'muted' | 'room'; id: string; account_id?: string }

/** `now`: the browser's time, by which typing is over. */
export function after(talk: Talk, event: RoomEvent, now: number): Talk {
  switch (event.type) {
    case 'message':
      return { ...talk, messages: merged(talk.messages, [event]), typing: without(talk.typing, event.author) }
    case 'edit':
      return {
        ...talk,
        messages: talk.messages.map((each) => (each.id === event.message_id ? { ...each, text: event.text, edited: true } : each)),
      }
    case 'delete':
      return { ...talk, messages: talk.messages.filter((each) => each.id !== event.message_id) }
    case 'presence':
      return { ...talk, online: present(talk.online, event) }
    case 'typing':
      return { ...talk, typing: new Map(talk.typing).set(event.account_id, { name: event.name, at: now }) }
    case 'closed':
      return { ...talk, isClosed: true }
    default:
      return talk
  }
}

/** The event after which a connection that breaks off now can be resumed. */
export function resumedAfter(last: string, event: RoomEvent): string {
  const id = event.type === 'presence' ? (event.last_event ?? '') : 'id' in event ? (event.id ?? '') : ''
  return id && (!last || order(id, last) > 0) ? id : last
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

export function order(one: string, other: string): number {
  const [time = 0, number = 0] = one.split('-').map(Number)
  const [otherTime = 0, otherNumber = 0] = other.split('-').map(Number)
  return time - otherTime || number - otherNumber
}

function present(online: ReadonlyMap<string, string>, event: Extract<RoomEvent, { type: 'presence' }>) {
  const now = new Map(event.complete ? [] : online)
  for (const { account_id, name } of event.online) now.set(account_id, name ?? '')
  for (const { account_id } of event.offline) now.delete(account_id)
  return now
}

function without(typing: ReadonlyMap<string, Typing>, account: string) {
  if (!typing.has(account)) return typing
  const others = new Map(typing)
  others.delete(account)
  return others
}

const TYPING_MILLISECONDS = 5000

/** The names of the others that are typing now. */
export function typists(talk: Talk, own: string | undefined, now: number): string[] {
  return [...talk.typing].filter(([account, { at }]) => account !== own && now - at < TYPING_MILLISECONDS).map(([, { name }]) => name)
}

/** How visible a message still is: whole at first, and fading over the last fifth of its life. */
export function visibility(postedAt: number, now: number, lifetimeSeconds: number): number {
  const left = 1 - (now - postedAt) / (lifetimeSeconds * 1000)
  return left <= 0 ? 0 : Math.min(1, 0.55 + left * 2.25)
}
