import { useTranslation } from 'react-i18next'
import type { Item } from '../api/shares'
import { ending, percent, size } from '../format'
import { Bar } from '../send/PieceRow'

/** `onLook`: show the file above; null: it cannot be shown, or is. */
export function ItemRow({ item, url, onLook }: { item: Item; url: string; onLook: (() => void) | null }) {
  const { t, i18n } = useTranslation()
  return (
    <li className="item">
      <span className="tile" aria-hidden="true">
        {ending(item.name) || '•'}
      </span>
      <div className="itemBody">
        <p className="itemName">{item.name}</p>
        <p className="figures">{size(item.size, i18n.language)}</p>
        {item.state === 'sending' && <Bar name={item.name} part={item.received} whole={item.size} />}
      </div>
      {item.state === 'ready' ? (
        <span className="itemLinks">
          {onLook && (
            <button type="button" className="link quiet" aria-label={t('receive.lookNamed', { name: item.name })} onClick={onLook}>
              {t('receive.look')}
            </button>
          )}
          <a className="link" href={url} download aria-label={t('receive.downloadNamed', { name: item.name })}>
            {t('receive.download')}
          </a>
        </span>
      ) : (
        <span className={`itemState small ${item.state}`}>
          {item.state === 'sending' ? percent(item.received, item.size, i18n.language) : t(`state.${item.state}`)}
        </span>
      )}
    </li>
  )
}
