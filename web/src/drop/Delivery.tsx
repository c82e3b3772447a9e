import { Button } from '@mantine/core'
import { useCallback, useState, useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import type { OpenDrop } from '../api/drops'
import { ChooseFiles } from '../send/ChooseFiles'
import { leave } from '../send/current'
import type { Gathered } from '../send/gathering'
import { PieceRow } from '../send/PieceRow'
import type { Sending } from '../send/sending'
import { Wrong } from '../parts/Wrong'

type Props = { drop: OpenDrop; sending: Sending; code: string }

/** What is being sent to a drop-off; once it has arrived, thanks. */
export function Delivery({ drop, sending, code }: Props) {
  const { t } = useTranslation('own')
  const seen = useSyncExternalStore(sending.subscribe, sending.snapshot)
  const [wrong, setWrong] = useState<unknown>(null)
  const [isOther, setOther] = useState(false)
  const lost = seen.pieces.filter(({ state }) => state === 'lost').length
  const giveBack = useCallback((gathered: Gathered[]) => setOther(sending.giveBack(gathered) === 0), [sending])
  const remove = (id: string) => sending.remove(id).catch(setWrong)
  const takeBack = () => sending.end().then(() => leave(code), setWrong)
  if (seen.hasEnded) {
    return (
      <section className="card centered">
        <h1>{t('drop.takenBack')}</h1>
        <Button onClick={() => leave(code)}>{t('drop.another')}</Button>
      </section>
    )
  }
  return (
    <section className="card">
      <header className="dropHead" role="status">
        <h1>{seen.isComplete ? t('drop.thanks') : t('drop.sending', { title: drop.title })}</h1>
        <p className="faint">{seen.isComplete ? t('drop.thanksHint', { title: drop.title }) : t('drop.sendingHint')}</p>
      </header>
      {seen.isOffline && (
        <p role="status" className="notice sendingNotice">
          {t('drop.offline')}
        </p>
      )}
      {lost > 0 && (
        <div role="status" className="notice sendingNotice line">
          <span>{isOther ? t('drop.otherFile') : t('drop.lost', { count: lost })}</span>
          <ChooseFiles onFiles={giveBack} label={t('drop.choose')}>
            {(open) => <Button onClick={open}>{t('drop.choose')}</Button>}
          </ChooseFiles>
        </div>
      )}
      <ul className="list rule">
        {seen.pieces.map((piece) => (
          <PieceRow key={piece.item.id} piece={piece} seen={seen} onRemove={() => void remove(piece.item.id)} />
        ))}
      </ul>
      <footer className="cardFoot line">
        <Wrong error={wrong} />
        <button type="button" className="link small" onClick={() => void takeBack()}>
          {t('drop.takeBack')}
        </button>
        {seen.isComplete && (
          <button type="button" className="link small" onClick={() => leave(code)}>
            {t('drop.another')}
          </button>
        )}
      </footer>
    </section>
  )
}
