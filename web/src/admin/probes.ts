import { request } from '../api/call'
import { randomKey } from '../api/keys'
import { Problem } from '../api/problem'
import { createShare, shareKey, endShare, type SentShare } from '../api/shares'
import { session } from '../api/session'

/** `detail`: what was seen instead. */
export type Finding = { isWell: boolean; detail: string }
type Probe = (signal: AbortSignal) => Promise<Finding>

const MIB = 1024 * 1024
/** Usual limits of proxies lie just below: nginx has 1 MiB, others 10 or 16 MiB. */
const BODIES = [1.5 * MIB, 17 * MIB]
/** An event that is there takes far less, and a proxy that gathers answers holds it until it has kilobytes. */
const EVENT_MILLISECONDS = 3000
/** A stream on which nothing is said is cut off by many proxies after 60 seconds. */
const QUIET_MILLISECONDS = 65_000

const well: Finding = { isWell: true, detail: '' }
const bad = (detail: string): Finding => ({ isWell: false, detail })

export const PROBES = { scheme, bodies, buffering, timeouts } as const satisfies Record<string, Probe>
export type ProbeName = keyof typeof PROBES

/** Links that the system makes must have the scheme and the host that browsers use. */
async function scheme(): Promise<Finding> {
  return withShare(async ({ url }) => (new URL(url).origin === location.origin ? well : bad(new URL(url).origin)))
}

/** Whether a body of these sizes comes through. Everything that was sent is thrown away again. */
async function bodies(signal: AbortSignal): Promise<Finding> {
  for (const bytes of BODIES) {
    const passed = await passes(bytes, signal)
    if (passed !== true) return bad(passed)
  }
  return well
}

async function passes(bytes: number, signal: AbortSignal): Promise<string | true> {
  const name = btoa('proxy-check')
  const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Length': String(bytes), 'Upload-Metadata': `filename ${name}` }
  let place: string | null
  try {
    place = (await request('POST', '/v1/uploads', { headers, signal })).headers.get('Location')
  } catch (error) {
    // The place itself allows no files as large as that, so nobody needs it.
    if (error instanceof Problem && error.code === 'size_refused') return true
    return told(error)
  }
  const path = new URL(place ?? '', location.href).pathname
  try {
    return await sent(path, bytes, signal)
  } finally {
    await request('DELETE', path, { headers: { 'Tus-Resumable': '1.0.0' } }).catch(() => undefined)
  }
}

/** One byte less than the whole is sent, so that no file is made of it. */
async function sent(path: string, bytes: number, signal: AbortSignal): Promise<string | true> {
  const body = new Blob([new Uint8Array(bytes - 1)])
  const headers = { ...authorization(), 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' }
  try {
    const answer = await fetch(path, { method: 'PATCH', headers, body, signal, credentials: 'omit' })
    return answer.ok || `${(bytes / MIB).toFixed(1)} MiB: ${answer.status}`
  } catch {
    return `${(bytes / MIB).toFixed(1)} MiB`
  }
}

/** Whether an event comes when it happens. */
async function buffering(signal: AbortSignal): Promise<Finding> {
  return withShare(async (share) => {
    const first = await firstEvent(share, signal)
    return first === null ? bad(`> ${EVENT_MILLISECONDS / 1000} s`) : well
  })
}

async function firstEvent(share: SentShare, signal: AbortSignal): Promise<true | null> {
  const heard = new AbortController()
  const stop = AbortSignal.any([signal, heard.signal, AbortSignal.timeout(EVENT_MILLISECONDS)])
  try {
    const answer = await request('GET', `/v1/shares/${share.id}/events`, { headers: shareKey(share.key), signal: stop })
    const { value } = await answer.body!.getReader().read()
    return value === undefined ? null : true
  } catch {
    return null
  } finally {
    heard.abort()
  }
}

/** Whether a stream stays open for as long as somebody listens. */
async function timeouts(signal: AbortSignal): Promise<Finding> {
  return withShare(async (share) => {
    const begin = performance.now()
    const enough = AbortSignal.timeout(QUIET_MILLISECONDS)
    try {
      const answer = await request('GET', `/v1/shares/${share.id}/events`, {
        headers: shareKey(share.key),
        signal: AbortSignal.any([signal, enough]),
      })
      const reader = answer.body!.getReader()
      while (!(await reader.read()).done);
    } catch {
      if (enough.aborted || signal.aborted) return well
    }
    const seconds = Math.round((performance.now() - begin) / 1000)
    return seconds * 1000 >= QUIET_MILLISECONDS ? well : bad(`${seconds} s`)
  })
}

async function withShare(look: (share: SentShare) => Promise<Finding>): Promise<Finding> {
  let share: SentShare
  try {
    share = await createShare({ items: [{ name: 'proxy-check.txt', text: '-' }], expire_style: 'minute', expire_value: 2 }, randomKey())
  } catch (error) {
    return bad(told(error))
  }
  try {
    return await look(share)
  } finally {
    await endShare(share.id, share.key).catch(() => undefined)
  }
}

function authorization(): Record<string, string> {
  const token = session.get()?.token
  return token ? { Authorization: `Bearer ${token}` } : {}
}

const told = (error: unknown) => (error instanceof Problem ? `${error.status} ${error.message}` : String(error))
