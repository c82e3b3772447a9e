import digestUrl from '../receive/digest.worker?worker&url'
import { scriptUrl } from './trusted'

/** The SHA-256 of a file in hex, which a worker computes; null: it cannot be read. */
export function digestOf(file: File, onRead: (bytes: number) => void = () => undefined): Promise<string | null> {
  const worker = new Worker(scriptUrl(digestUrl), { type: 'module' })
  return new Promise<string | null>((resolve) => {
    worker.onerror = () => resolve(null)
    worker.onmessage = ({ data }: MessageEvent<number | string | null>) => {
      if (typeof data === 'number') onRead(data)
      else resolve(data)
    }
    worker.postMessage(file)
  }).finally(() => worker.terminate())
}

/** Whether a file has this SHA-256. One that cannot be read any more has changed. */
export const isContent = async (file: File, sha256: string | null) => (await digestOf(file)) === sha256
