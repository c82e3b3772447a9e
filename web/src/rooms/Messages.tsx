import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { serverNow } from '../api/clock'
import { deleteMessage, type Message, type Room } from '../api/rooms'
import { useSession } from '../api/session'
import { ago, duration, ending, size } from '../format'
import { useExplain } from '../i18n'
import { Cross } from '../parts/icons'
import { useNow } from '../parts/useNow'
import { visibility } from './events'

type Props = { room: Room; messages: Message[]; onWrong: (words: string) => void }

/** What is said, the oldest fading before it goes. */
export function Messages({ room, messages, onWrong }: Props) {
  const { t, i18n } = useTranslation()
  const explain = useExplain()
  const now = serverNow(useNow(5000))
  const end = useRef<HTMLLIElement>(null)
  const alive = messages.filter((message) => visibility(Date.parse(message.created_at), now, room.lifetime_seconds) > 0)
  const last = alive.at(-1)?.id
  useEffect(() => {
    // Some browsers answer with a promise, which is no way to clean up.
    void end.current?.scrollIntoView({ block: 'nearest' })
  }, [last])

  if (alive.length === 0) {
    return (
      <div className="messages centered">
        <p>{t('rooms.empty')}</p>
        <p className="faint small">{t('rooms.emptyHint', { time: duration(room.lifetime_seconds * 1000, i18n.language) })}</p>
      </div>
    )
  }
  return (
    <ol className="messages" role="log" aria-label={t('rooms.message')} tabIndex={0}>
      {alive.map((message) => (
        <Bubble
          key={message.id}
          message={message}
          now={now}
          room={room}
          onDelete={() => deleteMessage(room.id, message.id).catch((error: unknown) => onWrong(explain(error)))}
        />
      ))}
      <li ref={end} aria-hidden="true" />
    </ol>
  )
}

type BubbleProps = { message: Message; now: number; room: Room; onDelete: () => void }

function Bubble({ message, now, room, onDelete }: BubbleProps) {
  const { t, i18n } = useTranslation()
  const isOwn = useSession()?.id === message.author
  const posted = Date.parse(message.created_at)
  return (
    <li className={`bubble${isOwn ? ' own' : ''}`} style={{ opacity: visibility(posted, now, room.lifetime_seconds) }}>
      <p className="figures small">
        {isOwn ? t('rooms.you') : message.name} · {ago(now - posted, i18n.language)}
      </p>
      <div className="said">
        {message.file ? (
          <a className="saidFile" href={message.file.url} target="_blank" rel="noreferrer">
            <span className="tile" aria-hidden="true">
              {ending(message.file.name) || '•'}
            </span>
            <span>
              <b>{message.file.name}</b>
              <br />
              <span className="figures">{size(message.file.size, i18n.language)}</span>
            </span>
          </a>
        ) : (
          <p dir="auto">{message.text}</p>
        )}
        {(isOwn || room.role !== 'member') && (
          <button type="button" className="removeItem" aria-label={t('rooms.delete')} onClick={onDelete}>
            <Cross />
          </button>
        )}
      </div>
    </li>
  )
}
