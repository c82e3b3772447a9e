import { useEffect, useState } from 'react'
import { scriptUrl } from '../parts/trusted'
import type { Parsed } from './parsing'
import parsingUrl from './parsing.worker?worker&url'

/** Usual texts take a hundredth of it. Some that are made for it would take the libraries minutes. */
const MILLISECONDS = 3000

/** The parts of a text, found beside the page, which goes on meanwhile; null: not yet, or not to be shown so. */
export function useParsed(text: string | null, language: string | null): Parsed | null {
  const [parsed, setParsed] = useState<Parsed | null>(null)
  useEffect(() => {
    setParsed(null)
    if (text === null || language === null) return
    const worker = new Worker(scriptUrl(parsingUrl), { type: 'module' })
    const timer = setTimeout(() => worker.terminate(), MILLISECONDS)
    worker.onmessage = ({ data }: MessageEvent<Parsed | null>) => {
      setParsed(data)
      worker.terminate()
    }
    worker.postMessage({ text, language })
    return () => {
      clearTimeout(timer)
      worker.terminate()
    }
  }, [text, language])
  return parsed
}
