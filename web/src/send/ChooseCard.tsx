import { Button, Loader } from '@mantine/core'
import { useCallback, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { useSession } from '../api/session'
import { type Site, useSite } from '../api/site'
import { size } from '../format'
import { useExplain } from '../i18n'
import { Up } from '../parts/icons'
import { ChooseFiles } from './ChooseFiles'
import { send } from './current'
import type { Gathered } from './gathering'
import { type Options, usual } from './options'
import { OptionsLine } from './OptionsLine'
import { SharedCard } from './SharedCard'
import { type Shared, takeShared } from './shared'
import { TextForm } from './TextForm'
import { usePageDrop } from './usePageDrop'

/** The first card: drop, paste, choose, or write. */
export function ChooseCard() {
  const { t } = useTranslation()
  const site = useSite()
  const refusal = useRefusal(site)
  const explain = useExplain()
  const [chosen, setOptions] = useState<Options | null>(null)
  const [text, setText] = useState<string | null>(null)
  const [shared, setShared] = useState<Shared | null>(null)
  const [isAsking, setAsking] = useState(false)
  const [wrong, setWrong] = useState<string | null>(null)
  const options = chosen ?? usual(site)
  const isStranger = useSession() === null

  const attempt = useCallback(
    async (sending: () => Promise<void>) => {
      setAsking(true)
      setWrong(null)
      await sending().catch((error: unknown) => setWrong(explain(error)))
      setAsking(false)
    },
    [explain],
  )
  const onFiles = useCallback(
    (gathered: Gathered[], written: string | null = null) => {
      const reason = refusal(gathered)
      if (reason) setWrong(reason)
      else void attempt(() => send(gathered, written ? { name: t('send.textName'), text: written } : null, options))
    },
    [attempt, options, refusal, t],
  )
  const isOver = usePageDrop({ onFiles, onText: setText, onUnreadable: () => setWrong(t('sending.unreadable')) })

  useEffect(() => {
    void takeShared().then((found) => {
      if (found?.files.length === 0) setText(found.text)
      else setShared(found)
    })
  }, [])

  if (isStranger && !site.guest_upload) return <OnlyAccounts />
  return (
    <>
      <section className="card choose" aria-busy={isAsking}>
        {shared ? (
          <SharedCard shared={shared} isAsking={isAsking} onSend={() => onFiles(shared.files, shared.text)} onCancel={() => setShared(null)} />
        ) : text === null ? (
          <Zone isOver={isOver} isAsking={isAsking} onFiles={onFiles} onWrite={() => setText('')} />
        ) : (
          <TextForm
            text={text}
            isAsking={isAsking}
            onCancel={() => setText(null)}
            onSend={(written) => void attempt(() => send([], { name: t('send.textName'), text: written }, options))}
          />
        )}
        <OptionsLine site={site} options={options} onChange={setOptions} />
      </section>
      {wrong && (
        <p role="alert" className="notice bad">
          {wrong}
        </p>
      )}
    </>
  )
}

type ZoneProps = { isOver: boolean; isAsking: boolean; onFiles: (gathered: Gathered[]) => void; onWrite: () => void }

function Zone({ isOver, isAsking, onFiles, onWrite }: ZoneProps) {
  const { t } = useTranslation()
  const isTouch = matchMedia('(pointer: coarse)').matches
  return (
    <div className={`zone${isOver ? ' over' : ''}`}>
      <span className="zoneIcon">{isAsking ? <Loader color="var(--accent)" size={40} /> : <Up />}</span>
      <h1 aria-live="polite">{isAsking ? t('send.asking') : isOver ? t('send.letGo') : isTouch ? t('send.touch') : t('send.drop')}</h1>
      <p className="faint">{isTouch ? t('send.touchHint') : t('send.dropHint')}</p>
      <div className="buttons">
        <ChooseFiles onFiles={onFiles} label={t('send.choose')}>
          {(open) => (
            <Button onClick={open} disabled={isAsking}>
              {t('send.choose')}
            </Button>
          )}
        </ChooseFiles>
        <Button variant="default" onClick={onWrite} disabled={isAsking}>
          {t('send.write')}
        </Button>
      </div>
      {!isTouch && (
        <ChooseFiles onFiles={onFiles} label={t('send.orFolder')} folder>
          {(open) => (
            <button type="button" className="link quiet small" onClick={open} disabled={isAsking}>
              {t('send.orFolder')}
            </button>
          )}
        </ChooseFiles>
      )}
    </div>
  )
}

function OnlyAccounts() {
  const { t } = useTranslation()
  return (
    <section className="card centered">
      <h1>{t('send.guests')}</h1>
      <Button component={Link} href="/sign-in">
        {t('send.signIn')}
      </Button>
    </section>
  )
}

/** The reason why these files cannot be sent, which is told before anything is asked of the server. */
function useRefusal(site: Site): (gathered: Gathered[]) => string | null {
  const { t, i18n } = useTranslation()
  return useCallback(
    (gathered) => {
      if (gathered.length === 0) return t('sending.emptyFolder')
      if (gathered.length > site.item_limit) return t('sending.tooMany', { count: site.item_limit })
      const large = gathered.find(({ file }) => file.size > site.upload_size)
      return large ? t('sending.tooLarge', { name: large.name, size: size(site.upload_size, i18n.language) }) : null
    },
    [i18n.language, site.item_limit, site.upload_size, t],
  )
}
