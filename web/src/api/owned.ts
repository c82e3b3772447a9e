import { call } from './call'
import { Problem } from './problem'
import type { ListedShare, SentView, ShareChanges, SharePage } from './types'

/** A share of the account, as `/v1/shares` lists it. */
export type OwnedShare = ListedShare

const PAGE = 100

export const paged = (path: string, after: string | null, more: Record<string, string> = {}) =>
  `${path}?${new URLSearchParams({ limit: String(PAGE), ...more, ...(after && { after }) })}`

export async function listShares(after: string | null) {
  const { shares, next } = await call<SharePage>('GET', paged('/v1/shares', after))
  return { rows: shares, next }
}

export const editShare = (id: string, changes: ShareChanges) => call<SentView>('PATCH', `/v1/shares/${id}`, { body: changes })

export const extendShare = (id: string, until: Date) => editShare(id, { expires_at: until.toISOString() })

export const deleteShare = (id: string) => call<void>('DELETE', `/v1/shares/${id}`)

/** Do something to many, a few at once. Returns the first failure, if there was one, after all were tried. */
export async function each<Row>(rows: readonly Row[], act: (row: Row) => Promise<unknown>): Promise<void> {
  const left = [...rows]
  let wrong: unknown = null
  const work = async () => {
    for (let row = left.shift(); row !== undefined; row = left.shift()) await act(row).catch((error: unknown) => (wrong ??= error))
  }
  await Promise.all([work(), work(), work(), work()])
  if (wrong !== null) throw wrong
}

/** The account's link with this code, which was made just now. */
export async function linkOf(code: string): Promise<OwnedShare> {
  const { rows } = await listShares(null)
  const found = rows.find((share) => share.form === 'link' && share.code === code)
  if (!found) throw new Problem(404, 'unknown_code', '')
  return found
}
