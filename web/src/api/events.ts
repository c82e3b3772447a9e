import { request } from './call'
import { Problem } from './problem'

export type Heard = { event: string; data: string; id: string }
type Options = { headers?: Record<string, string>; signal: AbortSignal; onOpen?: (isResumed: boolean) => void; onLost?: () => void }

const PAUSES = [500, 1000, 2000, 5000]

/**
 * Server-Sent Events by `fetch`, which, unlike EventSource, can send headers. Connects again until `signal` aborts;
 * throws a `Problem` that will not pass. `onOpen` is told whether nothing was missed; `onLost`, that a connection broke
 * off or could not be made. One that the server ended is only made again.
 */
export async function* events(path: string | ((last: string) => string), options: Options): AsyncGenerator<Heard> {
  let last = ''
  for (let failures = 0; !options.signal.aborted; failures++) {
    let isEnded = false
    let failure: unknown = null
    try {
      const headers = { ...options.headers, Accept: 'text/event-stream', ...(last && { 'Last-Event-ID': last }) }
      const answer = await request('GET', typeof path === 'string' ? path : path(last), { headers, signal: options.signal })
      options.onOpen?.(last !== '')
      for await (const heard of parsed(answer)) {
        failures = 0
        if (heard.id) last = heard.id
        yield heard
      }
      isEnded = true
    } catch (error) {
      if (options.signal.aborted) return
      if (error instanceof Problem && !error.isPassing) throw error
      failure = error
    }
    if (!isEnded) options.onLost?.()
    await pauseAfter(failures, failure, options.signal)
  }
}

/** The answer to `ask`, which is asked again while its problem is one that passes. */
export async function insist<Answer>(ask: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  for (let failures = 0; ; failures++) {
    try {
      return await ask()
    } catch (error) {
      if (signal.aborted || !(error instanceof Problem) || !error.isPassing) throw error
      await pauseAfter(failures, error, signal)
    }
  }
}

/** Wait before the next attempt: longer with each failure, and as long as the server asked for, up to a minute. */
export function pauseAfter(failures: number, error: unknown, signal: AbortSignal): Promise<void> {
  const usual = PAUSES[Math.min(failures, PAUSES.length - 1)]!
  const asked = error instanceof Problem && error.retryAfter !== null ? Math.min(error.retryAfter * 1000, 60_000) : 0
  return pause(Math.max(usual, asked), signal)
}

async function* parsed(answer: Response): AsyncGenerator<Heard> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  let buffered = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const blocks = (buffered + value).split(/\r?\n\r?\n/)
      buffered = blocks.pop() ?? ''
      for (const block of blocks) {
        const heard = eventOf(block)
        if (heard) yield heard
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined)
  }
}

export function eventOf(block: string): Heard | null {
  const heard: Heard = { event: 'message', data: '', id: '' }
  const data: string[] = []
  for (const line of block.split(/\r?\n/)) {
    const [, name, value] = /^([^:]+): ?(.*)$/.exec(line) ?? []
    if (name === 'event') heard.event = value!
    else if (name === 'id') heard.id = value!
    else if (name === 'data') data.push(value!)
  }
  heard.data = data.join('\n')
  return data.length > 0 ? heard : null
}

export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds)
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      removeEventListener('online', done)
      resolve()
    }
    signal.addEventListener('abort', done)
    addEventListener('online', done)
  })
}
