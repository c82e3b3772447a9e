import { noteServerTime } from './clock'
import { OFFLINE, Problem, problemOf } from './problem'
import { session } from './session'

type Options = { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal }

/** Call the native API. Throws a `Problem`. */
export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const answer = await request(method, path, options)
  return (answer.status === 204 ? undefined : await answer.json()) as T
}

export async function request(method: string, path: string, options: Options = {}): Promise<Response> {
  const token = session.get()?.token
  const headers: Record<string, string> = { Accept: 'application/json', ...options.headers }
  if (token) headers['Authorization'] = `Bearer ${token}`
  if (options.body !== undefined) headers['Content-Type'] = 'application/json'
  let answer: Response
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
      cache: 'no-store',
      // A deletion is finished even if the page is closed meanwhile.
      keepalive: method === 'DELETE',
      // Otherwise the browser itself asks for a name and password when a share has one.
      credentials: 'omit',
    })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new Problem(0, OFFLINE, 'No connection')
  }
  noteServerTime(answer.headers.get('Date'))
  if (answer.ok) return answer
  const problem = await problemOf(answer)
  if (token && endsSession(problem, path)) session.expire(token)
  throw problem
}

/** Whether the session has ended elsewhere. A password that is asked for again, or that of a share, says nothing of it. */
const endsSession = ({ status, code }: Problem, path: string) =>
  status === 401 && !code.startsWith('wrong_') && !path.startsWith('/v1/codes/')
