import { useTranslation } from 'react-i18next'
import type { StoreUse } from '../api/types'
import { percent, size } from '../format'
import { Bar } from '../send/PieceRow'

/** How full the store is. */
export function StoreFigure({ store }: { store: StoreUse }) {
  const { t, i18n } = useTranslation('admin')
  const whole = store.free_bytes === null ? null : store.used_bytes + store.free_bytes
  return (
    <div className="card figure">
      <dt>{t('dashboard.store')}</dt>
      <dd className="large">{size(store.used_bytes, i18n.language)}</dd>
      {whole !== null && (
        <>
          <dd>
            <Bar name={t('dashboard.store')} part={store.used_bytes} whole={whole} />
          </dd>
          <dd className="figures">{t('dashboard.free', { size: size(store.free_bytes!, i18n.language), percent: percent(store.used_bytes, whole, i18n.language) })}</dd>
        </>
      )}
    </div>
  )
}
