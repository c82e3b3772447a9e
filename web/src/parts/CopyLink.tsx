import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { copy } from './Copy'

export function CopyLink({ url }: { url: string }) {
  const { t } = useTranslation()
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return
    const timer = setTimeout(() => setCopied(false), 2000)
    return () => clearTimeout(timer)
  }, [isCopied])
  return (
    <button type="button" className="link quiet" onClick={() => void copy(url).then(() => setCopied(true))}>
      <span aria-live="polite">{isCopied ? `✓ ${t('sending.copied')}` : t('sending.copyLink')}</span>
    </button>
  )
}
