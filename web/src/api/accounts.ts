import { call } from './call'
import { type Session, session } from './session'
import type { TokenAnswer } from './types'


const DAY = 86_400_000
/** A token is replaced when less than this is left of its five days. */
const RENEW = 3 * DAY

export async function signIn(name: string, password: string) {
  session.set(sessionOf(await call<TokenAnswer>('POST', '/v1/auth/login', { body: { name, password } })))
}

export async function register(name: string, password: string, invitation: string | null = null) {
  const body = { name, password, ...(invitation && { invitation }) }
  session.set(sessionOf(await call<TokenAnswer>('POST', '/v1/auth/register', { body })))
}

export async function signOut() {
  // Even if the server does not hear it, this browser forgets the token.
  await call('POST', '/v1/auth/logout').catch(() => undefined)
  session.set(null)
}

/** Replace a token that ends soon, so that whoever comes often stays signed in. */
export async function renew() {
  const current = session.get()
  if (!current?.expires_at || Date.parse(current.expires_at) - Date.now() > RENEW) return
  const answer = await call<TokenAnswer>('POST', '/v1/auth/refresh').catch(() => null)
  if (answer && session.get()?.token === current.token) session.set(sessionOf(answer))
}

function sessionOf({ token, expires_at, account }: TokenAnswer): Session {
  return { token, expires_at, id: account.id, name: account.name, role: account.role }
}
