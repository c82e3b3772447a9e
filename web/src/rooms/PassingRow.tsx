import { useTranslation } from 'react-i18next'
import { duration, ending, percent, size } from '../format'
import { Cross } from '../parts/icons'
import { Bar } from '../send/PieceRow'
import { drop, type Passing } from './passing'

/** A file on its way into the room. */
export function PassingRow({ passing }: { passing: Passing }) {
  const { t, i18n } = useTranslation()
  const { name, file, sent, millisecondsLeft, failure } = passing
  const language = i18n.language
  const figures = failure
    ? [failure === 'unreadable' ? t('sending.unreadable') : failure === 'changed' ? t('sending.changed') : t('rooms.notPosted')]
    : [percent(sent, file.size, language), millisecondsLeft !== null && t('sending.left', { time: duration(millisecondsLeft, language) })]
  return (
    <li className="bubble own">
      <div className="said passing">
        <div className="saidFile">
          <span className="tile" aria-hidden="true">
            {ending(name) || '•'}
          </span>
          <div className="itemBody">
            <p className="itemName">{name}</p>
            <p className={`figures${failure ? ' bad' : ''}`}>{[size(file.size, language), ...figures].filter(Boolean).join(' · ')}</p>
            {!failure && <Bar name={name} part={sent} whole={file.size} />}
          </div>
          <button type="button" className="removeItem" aria-label={t('sending.remove', { name })} onClick={() => drop(passing)}>
            <Cross />
          </button>
        </div>
      </div>
    </li>
  )
}
