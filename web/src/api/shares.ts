import { call } from './call'
import type { CodeItem, CodeTicket, CodeView, SendRequest, SentItem as SentItemView, SentView, ShareChanges } from './types'

export type ItemState = CodeItem['state']

/** One file or text of a share. */
export type Item = Omit<CodeItem, 'type'> & { type?: string }

export type SentItem = SentItemView

/** A share as its sender sees it. Guests are told the key at its creation only, and the page keeps it. */
export type SentShare = Omit<SentView, 'key'> & { key: string }

/** A share as those see it who have its code. */
export type OpenedShare = CodeView

export type NewItem = { name: string; size: number } | { name: string; text: string }

export const shareKey = (key: string) => ({ 'Share-Key': key })

export const createShare = (wanted: SendRequest, idempotencyKey: string) =>
  call<SentShare>('POST', '/v1/shares', { body: wanted, headers: { 'Idempotency-Key': idempotencyKey } })

export const readSent = (id: string, key: string, signal?: AbortSignal) =>
  call<SentShare>('GET', `/v1/shares/${id}`, { headers: shareKey(key), ...(signal && { signal }) })

/** A share of the account, with its key. */
export const readOwned = (id: string) => call<SentShare>('GET', `/v1/shares/${id}`)

export const addItems = (id: string, key: string, items: NewItem[]) =>
  call<SentShare>('POST', `/v1/shares/${id}/items`, { body: { items }, headers: shareKey(key) })

export const removeItem = (id: string, key: string, item: string) =>
  call<void>('DELETE', `/v1/shares/${id}/items/${item}`, { headers: shareKey(key) })

export const changeShare = (id: string, key: string, changes: ShareChanges) =>
  call<SentShare>('PATCH', `/v1/shares/${id}`, { body: changes, headers: shareKey(key) })

export const endShare = (id: string, key: string) => call<void>('DELETE', `/v1/shares/${id}`, { headers: shareKey(key) })

export const openCode = (code: string, password: string | null, signal?: AbortSignal) =>
  call<OpenedShare>('GET', codePath(code), { headers: withPassword(password), ...(signal && { signal }) })

export const ticketFor = (code: string, password: string | null) =>
  call<CodeTicket>('POST', `${codePath(code)}/tickets`, { headers: withPassword(password) })

export const codePath = (code: string) => `/v1/codes/${encodeURIComponent(code)}`

export const itemUrl = (code: string, item: string, ticket: string, inline = false) =>
  `${codePath(code)}/items/${item}?${new URLSearchParams({ ...(inline && { inline: '1' }), ticket })}`

export const zipUrl = (code: string, ticket: string) => `${codePath(code)}/zip?${new URLSearchParams({ ticket })}`

// A header holds Latin-1 at most, and a password may be anything.
export const withPassword = (password: string | null): Record<string, string> =>
  password === null ? {} : { 'X-Share-Password': latin(password) }

function latin(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text))
}
