import { useTranslation } from 'react-i18next'
import type { Item } from '../api/shares'
import { ending, percent, size } from '../format'
import { Bar } from '../send/PieceRow'

export function ItemRow({ item, url }: { item: Item; url: string }) {
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
        <a className="link" href={url} download aria-label={t('receive.downloadNamed', { name: item.name })}>
          {t('receive.download')}
        </a>
      ) : (
        <span className={`itemState small ${item.state}`}>
          {item.state === 'sending' ? percent(item.received, item.size, i18n.language) : t(`state.${item.state}`)}
        </span>
      )}
    </li>
  )
}
