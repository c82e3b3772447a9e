/** The shares that were sent from this browser, with the keys to change them. */
export type Kept = {
  id: string
  key: string
  code: string
  url: string
  name: string
  size: number
  count: number
  created_at: string
  expires_at: string | null
  complete: boolean
  /** The drop-off to which it was sent. */
  drop?: string
  /** The id of the account that sent it. It is forgotten when that account signs out. */
  account?: string
}

const NAME = 'waystation.sent'
const LIMIT = 100

export function kept(): Kept[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(NAME) ?? '[]')
    return Array.isArray(found) ? (found as Kept[]).filter((each) => typeof each?.id === 'string') : []
  } catch {
    return []
  }
}

export function keep(share: Kept) {
  write([share, ...kept().filter((each) => each.id !== share.id)])
}

export function forget(id: string) {
  write(kept().filter((each) => each.id !== id))
}

/** Forget what an account has sent. */
export function forgetOf(account: string) {
  write(kept().filter((each) => each.account !== account))
}

function write(shares: Kept[]) {
  try {
    localStorage.setItem(NAME, JSON.stringify(shares.slice(0, LIMIT)))
  } catch {
    // Without room in the browser, the share is only not remembered.
  }
}
