import { call } from './call'
import type { SharePage, ShareView } from './types'

/** A share of the account, as `/v1/shares` lists it. */
export type OwnedShare = ShareView

export const listShares = (after: string | null) =>
  call<SharePage>('GET', `/v1/shares?${new URLSearchParams({ limit: '50', ...(after && { after }) })}`)

export const extendShare = (id: string, until: Date) =>
  call<OwnedShare>('PATCH', `/v1/shares/${id}`, { body: { expires_at: until.toISOString() } })

export const deleteShare = (id: string) => call<void>('DELETE', `/v1/shares/${id}`)
