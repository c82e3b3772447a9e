import { getDocument, type PDFDocumentProxy, type PDFPageProxy, PDFWorker, VerbosityLevel } from 'pdfjs-dist'
import workerUrl from 'pdfjs-dist/build/pdf.worker.mjs?worker&url'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { scriptUrl } from '../parts/trusted'

/** A page may say that it is a strip of a mile, for which no browser has a canvas. */
const PIXELS = 16_000_000

type Props = { url: string; label: string; onError: () => void }

/** A PDF, painted page by page. Nothing in it is run or followed: neither its scripts nor its links are looked at. */
export default function PdfPreview({ url, label, onError }: Props) {
  const { t } = useTranslation()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [pdf, setPdf] = useState<PDFDocumentProxy | null>(null)
  const [number, setNumber] = useState(1)

  useEffect(() => {
    const port = new Worker(scriptUrl(workerUrl), { type: 'module' })
    const worker = PDFWorker.create({ port, verbosity: VerbosityLevel.ERRORS })
    // Only what is looked at is fetched. WebAssembly is not allowed here, and there is a way without.
    const frugal = { disableAutoFetch: true, disableStream: true, verbosity: VerbosityLevel.ERRORS }
    const loading = getDocument({ url, worker, useWasm: false, enableXfa: false, ...frugal })
    let isOver = false
    loading.promise.then(
      (found) => !isOver && setPdf(found),
      () => !isOver && onError(),
    )
    return () => {
      isOver = true
      void loading.destroy().finally(() => port.terminate())
    }
    // Another `onError` is no reason to load it again.
  }, [url])

  useEffect(() => {
    if (!pdf) return
    let stop = () => {}
    let isOver = false
    const paint = (page: PDFPageProxy) => {
      const target = canvas.current
      if (isOver || !target) return
      const whole = page.getViewport({ scale: 1 })
      const width = Math.min(target.parentElement!.clientWidth * Math.min(devicePixelRatio, 2), 2000)
      const viewport = page.getViewport({ scale: Math.min(width / whole.width, Math.sqrt(PIXELS / (whole.width * whole.height))) })
      target.width = Math.max(1, Math.floor(viewport.width))
      target.height = Math.max(1, Math.floor(viewport.height))
      const painting = page.render({ canvas: target, viewport })
      stop = () => painting.cancel()
      painting.promise.catch(() => undefined)
    }
    pdf.getPage(number).then(paint).catch(() => !isOver && onError())
    return () => {
      isOver = true
      stop()
    }
  }, [pdf, number])

  return (
    <figure className="pdf">
      <div className="pdfPage">
        <canvas ref={canvas} role="img" aria-label={pdf ? `${label}, ${t('receive.page', { number, count: pdf.numPages })}` : label} />
      </div>
      {pdf && pdf.numPages > 1 && (
        <figcaption className="line small faint">
          <button type="button" className="link" disabled={number === 1} onClick={() => setNumber(number - 1)}>
            ← {t('receive.pageBefore')}
          </button>
          <span role="status">{t('receive.page', { number, count: pdf.numPages })}</span>
          <button type="button" className="link" disabled={number === pdf.numPages} onClick={() => setNumber(number + 1)}>
            {t('receive.pageAfter')} →
          </button>
        </figcaption>
      )}
    </figure>
  )
}
