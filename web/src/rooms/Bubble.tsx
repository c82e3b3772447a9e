import { useTranslation } from 'react-i18next'
import { deleteMessage, type Message, type Room } from '../api/rooms'
import { useSession } from '../api/session'
import { ago, duration, ending, size } from '../format'
import { useExplain } from '../i18n'
import { CopyLink } from '../parts/CopyLink'
import { Cross, Pen, Reply } from '../parts/icons'
import { useRemoval } from '../parts/useRemoval'
import { visibility } from './events'
import type { Acts } from './Messages'
import { Writer } from './Writer'

type Props = { message: Message; answered: Message | 'gone' | null; now: number; room: Room; acts: Acts }

export function Bubble({ message, answered, now, room, acts }: Props) {
  const { t, i18n } = useTranslation()
  const isOwn = useSession()?.id === message.author
  const removal = useRemoval<string>()
  const posted = Date.parse(message.created_at)
  const left = posted + room.lifetime_seconds * 1000 - now
  const seen = visibility(posted, now, room.lifetime_seconds)
  return (
    <li id={`message-${message.id}`} hidden={removal.isGone(message.id)} className={`bubble${isOwn ? ' own' : ''}`} style={{ opacity: seen }}>
      <p className="figures small">
        {isOwn ? t('rooms.you') : <Writer id={message.author} of={message} />} · {ago(now - posted, i18n.language)}
        {message.edited && ` · ${t('rooms.edited')}`}
        {seen < 1 && ` · ${t('rooms.goesIn', { time: duration(left, i18n.language) })}`}
      </p>
      <div className="saidLine">
        <div className="said">
          {answered && <Quote answered={answered} />}
          {message.file ? <SaidFile message={message} now={now} /> : <p dir="auto">{message.text}</p>}
        </div>
        <Actions message={message} isOwn={isOwn} room={room} acts={acts} onRemove={removal.remove} />
      </div>
    </li>
  )
}

function Quote({ answered }: { answered: Message | 'gone' }) {
  const { t } = useTranslation()
  if (answered === 'gone') return <p className="quote small faint">{t('rooms.answeredGone')}</p>
  return (
    <button
      type="button"
      className="quote small"
      onClick={() => document.getElementById(`message-${answered.id}`)?.scrollIntoView({ block: 'nearest' })}
    >
      <b>
        <bdi>{answered.name}</bdi>
      </b>{' '}
      <span dir="auto">{answered.file?.name ?? answered.text}</span>
    </button>
  )
}

function SaidFile({ message: { file, text }, now }: { message: Message; now: number }) {
  const { t, i18n } = useTranslation()
  const { name, size: bytes, url, expires_at } = file!
  const left = expires_at && Date.parse(expires_at) - now
  return (
    <>
      <div className="saidFile">
        <span className="tile" aria-hidden="true">
          {ending(name) || '•'}
        </span>
        <div className="itemBody">
          <p className="itemName">{name}</p>
          <p className="figures">
            {size(bytes, i18n.language)} · {t('state.ready')}
            {left && ` · ${left > 0 ? t('receive.expires', { time: duration(left, i18n.language) }) : t('expiry.over')}`}
          </p>
        </div>
      </div>
      <p className="saidLinks small">
        <a className="link" href={url} target="_blank" rel="noreferrer noopener" aria-label={t('rooms.openNamed', { name })}>
          {t('rooms.show')}
        </a>
        <CopyLink url={url} />
      </p>
      {text !== url && <p dir="auto">{text}</p>}
    </>
  )
}

type ActionsProps = { message: Message; isOwn: boolean; room: Room; acts: Acts; onRemove: ReturnType<typeof useRemoval<string>>['remove'] }

function Actions({ message, isOwn, room, acts, onRemove }: ActionsProps) {
  const { t } = useTranslation()
  const explain = useExplain()
  const mayDelete = isOwn || room.role !== 'member'
  const remove = () =>
    onRemove([message.id], t('rooms.deleted'), () =>
      deleteMessage(room.id, message.id).catch((error: unknown) => {
        acts.onWrong(explain(error))
        throw error
      }),
    )
  return (
    <span className="acts">
      <button type="button" aria-label={t('rooms.reply')} title={t('rooms.reply')} onClick={() => acts.onReply(message)}>
        <Reply />
      </button>
      {isOwn && message.file === null && (
        <button type="button" aria-label={t('rooms.edit')} title={t('rooms.edit')} onClick={() => acts.onEdit(message)}>
          <Pen />
        </button>
      )}
      {mayDelete && (
        <button type="button" aria-label={t('rooms.delete')} title={t('rooms.delete')} onClick={remove}>
          <Cross />
        </button>
      )}
    </span>
  )
}
