import { useSyncExternalStore } from 'react'
import { insist } from '../api/events'
import { Attempts } from '../api/keys'
import { session } from '../api/session'
import { changeShare, createShare, endShare, type NewItem, readOwned, readSent, type SentShare } from '../api/shares'
import type { SendRequest } from '../api/types'
import { usualTitle } from '../api/titles'
import type { Gathered } from './gathering'
import { forget, forgetOf, keep, kept, type Kept } from './kept'
import type { Options } from './options'
import { newItems, Sending } from './sending'

/** What this tab is sending: to a code of its own (`''`), and to drop-offs. It goes on while other places are looked at. */
const current = new Map<string, Sending>()
const listeners = new Set<() => void>()

function set(drop: string, sending: Sending | null) {
  if (sending) current.set(drop, sending)
  else current.delete(drop)
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

export const useCurrent = (drop = '') => useSyncExternalStore(subscribe, () => current.get(drop) ?? null)

export function leave(drop = '') {
  current.get(drop)?.close()
  set(drop, null)
}

/** Stop what an account sends, and forget what it has sent: whoever uses this browser next may not see it. */
export function leaveOf(account: string) {
  for (const [drop, sending] of current) if (sending.account === account) leave(drop)
  forgetOf(account)
}

/** Go on with a share of the account that was begun elsewhere. False: this tab is sending something else. */
export async function goOn(id: string): Promise<boolean> {
  const here = current.get('')
  const isHere = here?.snapshot().share.id === id
  if (isHere || here?.isBusy()) return isHere
  const share = await readOwned(id)
  leave()
  begin(share, [])
  return true
}

/** Send the contents of a share. `gathered`: the files of its first items, in this order. */
export function begin(share: SentShare, gathered: Gathered[], drop = '') {
  const files = new Map(gathered.flatMap(({ file }, at) => (share.items[at] ? [[share.items[at].id, file]] : [])))
  set(drop, new Sending(share, files, drop))
}

/** Ask for a code, and begin to send files, a text or both. Throws a `Problem`. */
export async function send(gathered: Gathered[], text: { name: string; text: string } | null, options: Options) {
  await create([...newItems(gathered), ...(text ? [text] : [])], options, gathered)
}

const attempts = new Attempts()

async function create(items: NewItem[], options: Options, gathered: Gathered[]) {
  const { life, downloads, password, words } = options
  const wanted: SendRequest = {
    items,
    title: usualTitle(items.map(({ name }) => name)),
    expire_style: life.style,
    expire_value: life.value,
    password: password || null,
    ...(words && { code_style: 'words' }),
  }
  // Whoever tries again after a lost answer wants one share and not two.
  const share = await createShare(wanted, attempts.keyOf(wanted))
  attempts.succeeded()
  begin(downloads === null ? share : await limited(share, downloads), gathered)
}

/** The share with its limit of downloads; one that cannot get its limit does not stay. */
async function limited(share: SentShare, downloads: number): Promise<SentShare> {
  const { id, key, items } = share
  try {
    return { ...share, ...(await changeShare(id, key, { downloads_left: downloads })), items, key }
  } catch (error) {
    await endShare(id, key).catch(() => undefined)
    throw error
  }
}

/** Take up the share again that a reload of this page interrupted, if there is one of a guest or of this account. */
export async function takeUp(drop = '') {
  const isOwn = ({ account }: Kept) => account === undefined || account === session.get()?.id
  const last = kept().find((each) => !each.complete && (each.drop ?? '') === drop && isOwn(each))
  if (!last || current.has(drop)) return
  try {
    const share = await insist(() => readSent(last.id, last.key), new AbortController().signal)
    if (share.complete) keep({ ...last, complete: true })
    else if (!current.has(drop)) begin({ ...share, key: last.key, url: share.url ?? last.url }, [], drop)
  } catch {
    forget(last.id)
  }
}
