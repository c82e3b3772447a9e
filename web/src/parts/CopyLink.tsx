import { useTranslation } from 'react-i18next'
import { useCopy } from './useCopy'

export function CopyLink({ url }: { url: string }) {
  const { t } = useTranslation()
  const { isCopied, onCopy } = useCopy(url)
  return (
    <button type="button" className="link quiet" onClick={onCopy}>
      <span aria-live="polite">{isCopied ? `✓ ${t('sending.copied')}` : t('sending.copyLink')}</span>
    </button>
  )
}
