import { DetailedError, Upload } from 'tus-js-client'

const ENDPOINT = '/v1/uploads'
// A proxy in front of the system may limit bodies, or gather them before it passes them on.
const CHUNK = 64 * 1024 * 1024
const DELAYS = [0, 500, 1000, 2000, 4000, 8000]

export type Told = {
  onProgress: (bytes: number) => void
  onDone: () => void
  onFailed: (failure: Failure) => void
}

/** `lost`: try again later. `unreadable`: the file has changed or is gone. `refused`: the server does not want it. */
export type Failure = { kind: 'lost' | 'unreadable' | 'refused'; status: number }

/** Send the bytes of one item; an earlier attempt of this browser is continued. Returns a function that stops it. */
export function upload(file: File, item: { id: string; ticket: string; size: number }, headers: Record<string, string>, told: Told) {
  const fingerprint = `waystation-item-${item.id}`
  let stopped = false
  const sending = new Upload(file, {
    endpoint: ENDPOINT,
    chunkSize: CHUNK,
    retryDelays: DELAYS,
    headers,
    metadata: { item: item.ticket },
    uploadSize: item.size,
    removeFingerprintOnSuccess: true,
    fingerprint: () => Promise.resolve(fingerprint),
    onShouldRetry: (error) => isPassing(statusOf(error)) && navigator.onLine,
    onProgress: (bytes) => told.onProgress(bytes),
    onSuccess: () => told.onDone(),
    onError: (error) => {
      if (!stopped) void failureOf(error, file).then(told.onFailed)
    },
  })
  void sending.findPreviousUploads().then(([previous]) => {
    if (stopped) return
    if (previous) sending.resumeFromPreviousUpload(previous)
    sending.start()
  })
  return () => {
    stopped = true
    void sending.abort().catch(() => undefined)
  }
}

async function failureOf(error: Error, file: File): Promise<Failure> {
  const status = statusOf(error)
  if (status !== 0 && !isPassing(status)) return { kind: 'refused', status }
  const readable = await file.slice(0, 1).arrayBuffer().then(() => true, () => false)
  return { kind: readable ? 'lost' : 'unreadable', status }
}

function statusOf(error: Error): number {
  return error instanceof DetailedError ? (error.originalResponse?.getStatus() ?? 0) : 0
}

function isPassing(status: number): boolean {
  return status === 0 || status === 408 || status === 409 || status === 423 || status === 425 || status === 429 || status >= 500
}
