import { useSyncExternalStore } from 'react'
import { insist } from '../api/events'
import { createShare, type NewItem, readSent, changeShare } from '../api/shares'
import { usualTitle } from '../api/titles'
import type { Gathered } from './gathering'
import { forget, keep, kept } from './kept'
import type { Options } from './options'
import { newItems, Sending } from './sending'

/** The share that this tab is sending. It goes on while other places of the page are looked at. */
let current: Sending | null = null
const listeners = new Set<() => void>()

function set(sending: Sending | null) {
  current = sending
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

export const useCurrent = () => useSyncExternalStore(subscribe, () => current)

export function leave() {
  current?.close()
  set(null)
}

/** Ask for a code, and begin to send. Throws a `Problem`. */
export async function send(gathered: Gathered[], options: Options) {
  await begin(newItems(gathered), options, gathered)
}

export async function sendText(name: string, text: string, options: Options) {
  await begin([{ name, text }], options, [])
}

async function begin(items: NewItem[], options: Options, gathered: Gathered[]) {
  const { life, downloads, password, words } = options
  let share = await createShare(
    {
      items,
      title: usualTitle(items.map(({ name }) => name)),
      expire_style: life.style,
      expire_value: life.value,
      password: password || null,
      ...(words && { code_style: 'words' }),
    },
    randomKey(),
  )
  const { key } = share
  if (downloads !== null) share = { ...share, ...(await changeShare(share.id, key, { downloads_left: downloads })), items: share.items, key }
  const files = new Map(gathered.flatMap(({ file }, at) => (share.items[at] ? [[share.items[at].id, file]] : [])))
  set(new Sending(share, files))
}

/** Take up the share again that a reload of this page interrupted, if there is one. */
export async function takeUp() {
  const last = kept().find((each) => !each.complete)
  if (!last || current) return
  try {
    const share = await insist(() => readSent(last.id, last.key), new AbortController().signal)
    if (share.complete) keep({ ...last, complete: true })
    else if (!current) set(new Sending({ ...share, key: last.key, url: share.url ?? last.url }, new Map()))
  } catch {
    forget(last.id)
  }
}

// crypto.randomUUID needs https, and the system may run without.
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
