import { lazy, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Item } from '../api/shares'
import { Fence } from '../parts/Fence'
import { previewKind } from './previews'

const PdfPreview = lazy(() => import('./PdfPreview'))
const TextPreview = lazy(() => import('./TextPreview'))

/** A picture, film, sound, document or text. What the browser cannot show is left out. */
export function Preview({ item, url }: { item: Item; url: string }) {
  const { t } = useTranslation()
  const [isBroken, setBroken] = useState(false)
  const kind = previewKind(item.name)
  const label = t('receive.preview', { name: item.name })
  const onError = () => setBroken(true)
  if (isBroken) return null
  return (
    <div className="preview">
      {kind === 'image' && <img src={url} alt={label} onError={onError} />}
      {kind === 'video' && <video src={url} aria-label={label} controls playsInline preload="metadata" onError={onError} />}
      {kind === 'audio' && <audio src={url} aria-label={label} controls preload="metadata" onError={onError} />}
      <Fence place={url} otherwise={null}>
        <Suspense fallback={<p className="faint small previewWait">{t('receive.opening')}</p>}>
          {kind === 'pdf' && <PdfPreview url={url} label={label} onError={onError} />}
          {(kind === 'markdown' || kind === 'text') && <TextPreview item={item} url={url} label={label} onError={onError} />}
        </Suspense>
      </Fence>
    </div>
  )
}
