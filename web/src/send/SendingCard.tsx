import { Button } from '@mantine/core'
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import { duration, speed } from '../format'
import { useExplain } from '../i18n'
import { BigCode } from '../parts/BigCode'
import { Copy } from '../parts/Copy'
import { Expiry } from '../parts/Expiry'
import { Qr } from '../parts/Qr'
import { soon } from '../parts/undo'
import { useRemoval } from '../parts/useRemoval'
import { ChooseFiles } from './ChooseFiles'
import { leave } from './current'
import type { Gathered } from './gathering'
import { PieceRow } from './PieceRow'
import type { Sending, Snapshot } from './sending'
import { usePageDrop } from './usePageDrop'

/** A share that is being sent: its code first, then what has become of each file. */
export function SendingCard({ sending }: { sending: Sending }) {
  const { t } = useTranslation()
  const explain = useExplain()
  const seen = useSyncExternalStore(sending.subscribe, sending.snapshot)
  const [wrong, setWrong] = useState<string | null>(null)
  const removal = useRemoval<string>()
  const problem = wrong ?? (removal.wrong === null ? null : explain(removal.wrong))
  const lost = seen.pieces.filter(({ state }) => state === 'lost').length
  useTitle(seen)

  const onFiles = useCallback(
    (gathered: Gathered[]) => {
      setWrong(null)
      if (lost > 0) {
        if (sending.giveBack(gathered) === 0) setWrong(t('sending.otherFile'))
      } else if (gathered.length > 0) {
        sending.add(gathered).catch((error: unknown) => setWrong(explain(error)))
      }
    },
    [explain, lost, sending, t],
  )
  usePageDrop({ onFiles, onUnreadable: () => setWrong(t('sending.unreadable')) })

  function remove(id: string, name: string) {
    setWrong(null)
    removal.remove([id], t('sending.removed', { name }), () => sending.remove(id), (isHidden) => sending.hide(id, isHidden))
  }

  if (seen.hasEnded) return <Ended />
  return (
    <>
      <section className="card">
        <Head seen={seen} />
        {problem && (
          <p role="alert" className="notice bad sendingNotice">
            {problem}
          </p>
        )}
        {seen.isOffline && (
          <p role="status" className="notice sendingNotice">
            {t('sending.offline')}
          </p>
        )}
        {lost > 0 && <ChooseAgain count={lost} onFiles={onFiles} />}
        <ul className="list rule">
          {seen.pieces
            .filter(({ item }) => !removal.isGone(item.id))
            .map((piece) => (
              <PieceRow key={piece.item.id} piece={piece} seen={seen} onRemove={() => remove(piece.item.id, piece.item.name)} />
            ))}
        </ul>
        <Foot sending={sending} seen={seen} onFiles={onFiles} />
      </section>
      <p className="hidden" role="status">
        {seen.isComplete ? t('sending.introDone') : ''}
      </p>
    </>
  )
}

function Head({ seen: { share, isComplete } }: { seen: Snapshot }) {
  const { t } = useTranslation()
  const canShare = typeof navigator.share === 'function'
  return (
    <header className="sendingHead">
      <div>
        <p className="faint">{isComplete ? t('sending.introDone') : t('sending.intro')}</p>
        <BigCode code={share.code} />
      </div>
      <Qr text={share.url} label={t('sending.qr')} />
      <div className="buttons">
        <Copy text={share.url} variant="filled">
          {t('sending.copyLink')}
        </Copy>
        {canShare && (
          <Button variant="default" onClick={() => void navigator.share({ url: share.url }).catch(() => undefined)}>
            {t('sending.share')}
          </Button>
        )}
        <Copy text={share.code}>{t('sending.copyCode')}</Copy>
      </div>
    </header>
  )
}

function ChooseAgain({ count, onFiles }: { count: number; onFiles: (gathered: Gathered[]) => void }) {
  const { t } = useTranslation()
  return (
    <div role="status" className="notice sendingNotice line">
      <span>{t('sending.lost', { count })}</span>
      <ChooseFiles onFiles={onFiles} label={t('sending.chooseAgain')}>
        {(open) => <Button onClick={open}>{t('sending.chooseAgain')}</Button>}
      </ChooseFiles>
    </div>
  )
}

type FootProps = { sending: Sending; seen: Snapshot; onFiles: (gathered: Gathered[]) => void }

function Foot({ sending, seen, onFiles }: FootProps) {
  const { t, i18n } = useTranslation()
  const [isDeleting, setDeleting] = useState(false)
  const isBusy = seen.pieces.some(({ state }) => state === 'sending' || state === 'waiting')

  function remove() {
    setDeleting(true)
    sending.pause()
    const putBack = () => {
      setDeleting(false)
      sending.resume()
    }
    soon(t('sending.deleted'), () => void sending.end().then(() => leave(), putBack), putBack)
  }

  return (
    <footer className="cardFoot">
      <div className="line">
        <Expiry at={seen.share.expires_at} downloadsLeft={seen.share.downloads_left} />
        {isBusy && seen.bytesPerSecond !== null && seen.pieces.length > 1 && (
          <span className="figures">
            {speed(seen.bytesPerSecond, i18n.language)}
            {seen.millisecondsLeft !== null && ` · ${t('sending.left', { time: duration(seen.millisecondsLeft, i18n.language) })}`}
          </span>
        )}
      </div>
      <div className="line sendingActions">
        <div className="buttons">
          {(isBusy || seen.isPaused) && !isDeleting && (
            <button type="button" className="link small" onClick={() => (seen.isPaused ? sending.resume() : sending.pause())}>
              {seen.isPaused ? t('sending.resume') : t('sending.pause')}
            </button>
          )}
          <ChooseFiles onFiles={onFiles} label={t('sending.add')}>
            {(open) => (
              <button type="button" className="link small" onClick={open}>
                {t('sending.add')}
              </button>
            )}
          </ChooseFiles>
          <button type="button" className="link small" onClick={remove} disabled={isDeleting}>
            {t('sending.delete')}
          </button>
        </div>
        {!isBusy && (
          <button type="button" className="link small" onClick={() => leave()}>
            {t('sending.another')}
          </button>
        )}
      </div>
    </footer>
  )
}

function Ended() {
  const { t } = useTranslation()
  return (
    <section className="card centered">
      <h1>{t('expiry.over')}</h1>
      <Button onClick={() => leave()}>{t('sending.another')}</Button>
    </section>
  )
}

/** The tab's title says how far it is, for those who look at something else meanwhile. */
function useTitle({ share, pieces, isComplete }: Snapshot) {
  const whole = pieces.reduce((sum, { item }) => sum + item.size, 0)
  const sent = pieces.reduce((sum, each) => sum + each.sent, 0)
  const done = isComplete ? '✓' : whole > 0 ? `${Math.floor((Math.min(sent, whole) / whole) * 100)} %` : ''
  useEffect(() => {
    const before = document.title
    document.title = [done, share.code].filter(Boolean).join(' · ')
    return () => void (document.title = before)
  }, [done, share.code])
}
