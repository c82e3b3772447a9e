/** The texts that come through a WebSocket, until it is closed. `closed` tells whether there ever was a connection. */
export type Line = { texts: AsyncGenerator<string, void>; send: (text: string) => void; closed: Promise<boolean> }

// A device that slept this long has lost its connection, even if nobody has told it.
const TICK = 10_000
const ASLEEP = 4 * TICK

/** Open a socket on this origin, and send `first` through it. It is closed when `signal` aborts, or the device goes offline. */
export function open(path: string, first: string, signal: AbortSignal): Line {
  const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`)
  const waiting: string[] = []
  let hasOpened = false
  let isClosed = false
  let wake = () => {}
  let ticked = Date.now()
  const ended = new AbortController()

  const closed = new Promise<boolean>((resolve) => {
    // A closing handshake over a dead network takes a minute, for which nobody waits.
    const over = () => {
      isClosed = true
      clearInterval(timer)
      ended.abort()
      socket.close()
      wake()
      resolve(hasOpened)
    }
    const timer = setInterval(() => {
      const now = Date.now()
      if (now - ticked > ASLEEP) over()
      ticked = now
    }, TICK)
    socket.onclose = over
    addEventListener('offline', over, { signal: ended.signal })
    signal.addEventListener('abort', over, { signal: ended.signal })
  })
  socket.onopen = () => {
    hasOpened = true
    socket.send(first)
  }
  socket.onmessage = ({ data }) => {
    waiting.push(String(data))
    wake()
  }

  async function* texts() {
    for (;;) {
      const next = waiting.shift()
      if (next !== undefined) yield next
      else if (isClosed) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  return { texts: texts(), closed, send: (text) => void (socket.readyState === WebSocket.OPEN && socket.send(text)) }
}
