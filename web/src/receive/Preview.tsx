import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Item } from '../api/shares'
import { previewKind } from './previews'

/** A picture, film or sound. What the browser cannot show is left out. */
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
    </div>
  )
}
