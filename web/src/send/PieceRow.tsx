import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { duration, ending, percent, size, speed } from '../format'
import { Cross } from '../parts/icons'
import type { Piece, Snapshot } from './sending'

type Props = { piece: Piece; seen: Snapshot; onRemove: () => void }

/** A thousand files make a thousand rows, of which a few change at a time. */
export const PieceRow = memo(Row, (before, { piece, seen }) => {
  const known = before.piece
  const isSame = known.state === piece.state && known.sent === piece.sent && known.failure === piece.failure
  return isSame && known.item.name === piece.item.name && seen.pieces.length === before.seen.pieces.length && piece.state !== 'sending'
})

function Row({ piece, seen, onRemove }: Props) {
  const { t } = useTranslation()
  const { item, state } = piece
  return (
    <li className="item">
      <span className="tile" aria-hidden="true">
        {item.text === null ? ending(item.name) || '•' : 'TXT'}
      </span>
      <div className="itemBody">
        <p className="itemName">{item.name}</p>
        <p className="figures">
          <Figures piece={piece} seen={seen} />
        </p>
        {state === 'sending' && <Bar name={item.name} part={piece.sent} whole={item.size} />}
      </div>
      <State piece={piece} />
      {seen.pieces.length > 1 && (
        <button type="button" className="removeItem" aria-label={t('sending.remove', { name: item.name })} onClick={onRemove}>
          <Cross />
        </button>
      )}
    </li>
  )
}

function Figures({ piece: { item, state, sent, failure }, seen }: { piece: Piece; seen: Snapshot }) {
  const { t, i18n } = useTranslation()
  const language = i18n.language
  if (failure === 'unreadable') return t('sending.unreadable')
  if (failure === 'changed') return t('sending.changed')
  if (failure === 'other') return t('sending.notTheSame')
  const hasBegun = sent > 0 && sent < item.size
  const parts = [
    hasBegun ? t('sending.progress', { done: size(sent, language), whole: size(item.size, language) }) : size(item.size, language),
  ]
  // With several files the pace of all of them is said once, below.
  if (state === 'sending' && seen.pieces.length === 1) {
    if (seen.bytesPerSecond !== null) parts.push(speed(seen.bytesPerSecond, language))
    if (seen.millisecondsLeft !== null) parts.push(t('sending.left', { time: duration(seen.millisecondsLeft, language) }))
  }
  return parts.join(' · ')
}

function State({ piece: { item, state, sent } }: { piece: Piece }) {
  const { t, i18n } = useTranslation()
  if (state === 'sending') return <span className="itemState">{percent(sent, item.size, i18n.language)}</span>
  const words = state === 'ready' && item.text !== null ? '✓' : `${state === 'ready' ? '✓ ' : ''}${t(`state.${state}`)}`
  return <span className={`itemState ${state} ${state === 'ready' ? '' : 'small'}`}>{words}</span>
}

export function Bar({ name, part, whole }: { name: string; part: number; whole: number }) {
  const done = whole === 0 ? 100 : Math.min(100, (part / whole) * 100)
  return (
    <div className="bar" role="progressbar" aria-label={name} aria-valuenow={Math.floor(done)} aria-valuemin={0} aria-valuemax={100}>
      <div style={{ width: `${done}%` }} />
    </div>
  )
}
