import { call } from './call'

/** A share of the account, as `/v1/shares` lists it. */
export type OwnedShare = {
  id: string
  form: 'code' | 'link' | 'page'
  code: string
  url: string
  name: string
  size: number
  created_at: string
  expires_at: string | null
  downloads: number
  downloads_left: number | null
  title: string | null
  state: 'active' | 'spent' | 'ended'
}

export const listShares = (after: string | null) =>
  call<{ shares: OwnedShare[]; next: string | null }>('GET', `/v1/shares?${new URLSearchParams({ limit: '50', ...(after && { after }) })}`)

export const extendShare = (id: string, until: Date) =>
  call<OwnedShare>('PATCH', `/v1/shares/${id}`, { body: { expires_at: until.toISOString() } })

export const deleteShare = (id: string) => call<void>('DELETE', `/v1/shares/${id}`)
