import { Button, Textarea } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import '../send/send.css'
import '../account/account.css'
import './drop.css'
import { deliver, type OpenDrop, readDrop } from '../api/drops'
import type { Problem } from '../api/problem'
import type { NewItem } from '../api/shares'
import { useSite } from '../api/site'
import { duration, size } from '../format'
import { useExplain } from '../i18n'
import { Expiry } from '../parts/Expiry'
import { Up } from '../parts/icons'
import { Waiting } from '../parts/Waiting'
import { Wrong } from '../parts/Wrong'
import { ChooseFiles } from '../send/ChooseFiles'
import { Attempts } from '../api/keys'
import { begin, takeUp, useCurrent } from '../send/current'
import type { Gathered } from '../send/gathering'
import { newItems } from '../send/sending'
import { usePageDrop } from '../send/usePageDrop'
import { Delivery } from './Delivery'
import { isAllowed } from './types'

/** Where somebody who was given the code of a drop-off sends files to its owner. */
export default function DropPage({ code }: { code: string }) {
  const sending = useCurrent(code)
  const found = useQuery({ queryKey: ['drop', code], queryFn: () => readDrop(code), staleTime: Infinity })
  useEffect(() => void takeUp(code), [code])
  return (
    <main className="column">
      {found.data && sending ? (
        <Delivery drop={found.data} sending={sending} code={code} />
      ) : found.data ? (
        <Choose drop={found.data} code={code} />
      ) : found.error ? (
        <Refused problem={found.error as Problem} onRetry={() => void found.refetch()} />
      ) : (
        <Waiting />
      )}
    </main>
  )
}

function Choose({ drop, code }: { drop: OpenDrop; code: string }) {
  const { t } = useTranslation('own')
  const { t: common } = useTranslation()
  const [message, setMessage] = useState('')
  const [text, setText] = useState<string | null>(null)
  const [wrong, setWrong] = useState<string | null>(null)
  const [attempts] = useState(() => new Attempts())
  const refusal = useRefusal(drop)
  const send = useMutation({
    mutationFn: async ({ items, gathered }: { items: NewItem[]; gathered: Gathered[] }) => {
      const words = message.trim() || null
      const share = await deliver(code, items, words, attempts.keyOf([items, words]))
      attempts.succeeded()
      begin(share, gathered, code)
    },
  })
  const onFiles = useCallback(
    (gathered: Gathered[]) => {
      const reason = refusal(gathered)
      setWrong(reason)
      if (reason === null) send.mutate({ items: newItems(gathered), gathered })
    },
    [refusal, send.mutate],
  )
  const isOver = usePageDrop({ onFiles, onUnreadable: () => setWrong(common('sending.unreadable')) })
  const isTouch = matchMedia('(pointer: coarse)').matches
  if (!drop.is_open) return <Full drop={drop} />
  return (
    <>
      <section className="card" aria-busy={send.isPending}>
        <Greeting drop={drop} />
        <div className="dropMessage">
          <Textarea
            label={t('drop.message')}
            placeholder={t('drop.messageHint')}
            rows={1}
            maxLength={10_000}
            value={message}
            onChange={(event) => setMessage(event.target.value)}
          />
        </div>
        <div className="choose">
          <div className={`zone low${isOver ? ' over' : ''}`}>
            <span className="zoneIcon">
              <Up />
            </span>
            <h2>{isOver ? t('drop.letGo') : isTouch ? t('drop.touch') : t('drop.here')}</h2>
            <div className="buttons">
              <ChooseFiles onFiles={onFiles} label={t('drop.choose')}>
                {(open) => (
                  <Button onClick={open} loading={send.isPending}>
                    {t('drop.choose')}
                  </Button>
                )}
              </ChooseFiles>
              {text === null && (
                <Button variant="default" onClick={() => setText('')}>
                  {t('drop.write')}
                </Button>
              )}
            </div>
          </div>
        </div>
        <div className="dropFoot form">
          {text !== null && (
            <form
              className="form"
              onSubmit={(event) => {
                event.preventDefault()
                send.mutate({ items: [{ name: t('drop.textName'), text }], gathered: [] })
              }}
            >
              <Textarea autoFocus label={t('drop.text')} rows={5} value={text} onChange={(event) => setText(event.target.value)} />
              <div className="buttons">
                <Button type="submit" loading={send.isPending} disabled={text.trim() === ''}>
                  {t('drop.sendText')}
                </Button>
              </div>
            </form>
          )}
          {wrong && (
            <p role="alert" className="notice bad">
              {wrong}
            </p>
          )}
          <Wrong error={send.error} />
        </div>
      </section>
    </>
  )
}

export function Greeting({ drop }: { drop: OpenDrop }) {
  return (
    <header className="dropHead">
      <h1>{drop.title}</h1>
      {drop.greeting && <p className="message">{drop.greeting}</p>}
      <Limits drop={drop} />
    </header>
  )
}

function Limits({ drop }: { drop: OpenDrop }) {
  const { t, i18n } = useTranslation('own')
  const limits = [
    drop.size_limit !== null && t('drop.upTo', { size: size(drop.size_limit, i18n.language) }),
    drop.item_limit !== null && t('drop.files', { count: drop.item_limit }),
    drop.types.length > 0 && t('drop.only', { types: drop.types.join(', ') }),
  ].filter(Boolean)
  return (
    <p className="figures">
      {limits.join(' · ')}
      {drop.expires_at && (
        <>
          {limits.length > 0 && ' · '}
          <Expiry at={drop.expires_at} downloadsLeft={null} />
        </>
      )}
    </p>
  )
}

function Full({ drop }: { drop: OpenDrop }) {
  const { t } = useTranslation('own')
  return (
    <section className="card centered">
      <h1>{t('drop.ended')}</h1>
      <p className="faint">
        <bdi>{drop.title}</bdi>
      </p>
      <p className="faint">{t('drop.endedHint')}</p>
    </section>
  )
}

function Refused({ problem, onRetry }: { problem: Problem; onRetry: () => void }) {
  const { t, i18n } = useTranslation('own')
  const explain = useExplain()
  const [title, hint] =
    problem.status === 404
      ? [t('drop.unknown'), t('drop.unknownHint')]
      : problem.status === 410
        ? [t('drop.ended'), t('drop.endedHint')]
        : problem.status === 429
          ? [t('drop.tooMany'), t('drop.tooManyHint', { time: duration((problem.retryAfter ?? 60) * 1000, i18n.language) })]
          : [t('drop.failed'), explain(problem)]
  return (
    <section className="card centered" role="alert">
      <h1>{title}</h1>
      <p className="faint">{hint}</p>
      {problem.isPassing && <Button onClick={onRetry}>{t('drop.retry')}</Button>}
    </section>
  )
}

/** The reason why these files cannot be sent, which is told before anything is asked of the server. */
function useRefusal(drop: OpenDrop): (gathered: Gathered[]) => string | null {
  const { t, i18n } = useTranslation('own')
  const site = useSite()
  const most = Math.min(drop.item_limit ?? site.item_limit, site.item_limit)
  const largest = Math.min(drop.size_limit ?? site.upload_size, site.upload_size)
  return useCallback(
    (gathered) => {
      if (gathered.length === 0) return t('drop.empty')
      if (gathered.length > most) return t('drop.tooManyFiles', { count: most })
      if (gathered.reduce((sum, { file }) => sum + file.size, 0) > largest) return t('drop.tooLarge', { size: size(largest, i18n.language) })
      const other = gathered.find(({ file, name }) => !isAllowed(name, file.type, drop.types))
      return other ? t('drop.otherType', { name: other.name, types: drop.types.join(', ') }) : null
    },
    [drop.types, i18n.language, largest, most, t],
  )
}
