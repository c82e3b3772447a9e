import { call } from './call'
import { paged } from './owned'
import type { NewItem, SentShare } from './shares'
import { usualTitle } from './titles'
import type { DropPage, DropView, OpenDrop, SharePage } from './types'

export type { OpenDrop } from './types'
export type Drop = DropView
export type DropTerms = Required<Pick<DropView, 'title' | 'greeting' | 'size_limit' | 'item_limit' | 'share_limit' | 'types' | 'expires_at'>>

const path = (code: string) => `/v1/drops/${encodeURIComponent(code)}`

export async function listDrops(after: string | null) {
  const { drops, next } = await call<DropPage>('GET', paged('/v1/drops', after))
  return { rows: drops, next }
}
export const createDrop = (terms: DropTerms, code: string | null) => call<Drop>('POST', '/v1/drops', { body: { ...terms, ...(code && { code }) } })
export const changeDrop = (code: string, terms: DropTerms) => call<Drop>('PATCH', path(code), { body: terms })
export const endDrop = (code: string) => call<void>('DELETE', path(code))
export async function listReceived(code: string, after: string | null) {
  const { shares, next } = await call<SharePage>('GET', paged(`${path(code)}/shares`, after))
  return { rows: shares, next }
}

export const readDrop = (code: string) => call<OpenDrop>('GET', path(code))
export const deliver = (code: string, items: NewItem[], message: string | null, idempotencyKey: string) =>
  call<SentShare>('POST', `${path(code)}/shares`, { body: { items, title: usualTitle(items.map(({ name }) => name)), message }, headers: { 'Idempotency-Key': idempotencyKey } })
