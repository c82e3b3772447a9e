import { useTranslation } from 'react-i18next'
import { usePending } from './undo'

export function Toast() {
  const { t } = useTranslation()
  const pending = usePending()
  return (
    <div role="status">
      {pending && (
        <div className="toast">
          <span>{pending.words}</span>
          <button type="button" onClick={pending.undo}>
            {t('sending.undo')}
          </button>
        </div>
      )}
    </div>
  )
}
