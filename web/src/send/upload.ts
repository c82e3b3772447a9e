import { DetailedError, Upload } from 'tus-js-client'
import { session } from '../api/session'

const ENDPOINT = '/v1/uploads'
// A proxy in front of the system may limit bodies, or gather them before it passes them on.
const CHUNK = 64 * 1024 * 1024
const DELAYS = [0, 500, 1000, 2000, 4000, 8000]

export type Told = {
  onProgress: (bytes: number) => void
  /** `code`: that of the share that the upload has become, unless it is an item of another. */
  onDone: (code: string | undefined) => void
  onFailed: (failure: Failure) => void
}

/** `lost`: try again later. `unreadable`: the file has changed or is gone. `refused`: the server does not want it.
 *  `changed`: it has arrived, but changed meanwhile. */
export type Failure = { kind: 'lost' | 'unreadable' | 'refused' | 'changed'; status: number }

/** `name` tells this upload from others of this browser. `begun`: the id of the upload that is to go on, wherever it was begun. */
export type Wanted = { name: string; metadata: Record<string, string>; begun?: string | null }

/** Send a file by tus; an earlier attempt of this browser is continued. Returns a function that stops it, for good if told so. */
export function upload(file: File, { name, metadata, begun = null }: Wanted, told: Told): (forGood?: boolean) => void {
  const token = session.get()?.token
  let stopped = false
  const uploadUrl = begun && `${ENDPOINT}/${begun}`
  const sending = new Upload(file, {
    endpoint: ENDPOINT,
    uploadUrl,
    chunkSize: CHUNK,
    retryDelays: DELAYS,
    headers: token ? { Authorization: `Bearer ${token}` } : {},
    metadata,
    uploadSize: file.size,
    removeFingerprintOnSuccess: true,
    fingerprint: () => Promise.resolve(`waystation-${name}`),
    onShouldRetry: (error) => isPassing(statusOf(error)) && navigator.onLine,
    onProgress: (bytes) => told.onProgress(bytes),
    // A file that was written to meanwhile may have arrived as a mixture, and browsers refuse to read it from then on.
    onSuccess: ({ lastResponse }) =>
      void isReadable(file).then((isSame) => {
        if (isSame) told.onDone(lastResponse.getHeader('Waystation-Code'))
        else told.onFailed({ kind: 'changed', status: 0 })
      }),
    onError: (error) => {
      if (!stopped) void failureOf(error, file).then(told.onFailed)
    },
  })
  void sending.findPreviousUploads().then(([previous]) => {
    if (stopped) return
    // Another device may have begun again since.
    if (previous) sending.resumeFromPreviousUpload({ ...previous, uploadUrl: uploadUrl ?? previous.uploadUrl })
    sending.start()
  })
  return (forGood = false) => {
    stopped = true
    void sending.abort(forGood).catch(() => undefined)
    if (forGood) forgetUpload(name)
  }
}

/** Forget an upload that will not be continued; tus-js-client would remember it for ever. */
export function forgetUpload(name: string) {
  const start = `tus::waystation-${name}::`
  for (const key of Object.keys(localStorage)) if (key.startsWith(start)) localStorage.removeItem(key)
}

async function failureOf(error: Error, file: File): Promise<Failure> {
  const status = statusOf(error)
  if (status !== 0 && !isPassing(status)) return { kind: 'refused', status }
  return { kind: (await isReadable(file)) ? 'lost' : 'unreadable', status }
}

function isReadable(file: File): Promise<boolean> {
  return file.slice(0, 1).arrayBuffer().then(() => true, () => false)
}

function statusOf(error: Error): number {
  return error instanceof DetailedError ? (error.originalResponse?.getStatus() ?? 0) : 0
}

function isPassing(status: number): boolean {
  return status === 0 || status === 408 || status === 409 || status === 423 || status === 425 || status === 429 || status >= 500
}
