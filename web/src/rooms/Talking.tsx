import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Attempts } from '../api/keys'
import { editMessage, type Message, postMessage, type Room } from '../api/rooms'
import { useSession } from '../api/session'
import { useSite } from '../api/site'
import { useExplain } from '../i18n'
import { useNow } from '../parts/useNow'
import type { Gathered } from '../send/gathering'
import { usePageDrop } from '../send/usePageDrop'
import { Composer, type Draft } from './Composer'
import { typists } from './events'
import { Messages } from './Messages'
import { pass } from './passing'
import { People } from './People'
import { RoomHead } from './RoomHead'
import { see } from './seen'
import { useTalk } from './useTalk'

/** A room that the reader is in. */
export function Talking({ room }: { room: Room }) {
  const { t } = useTranslation()
  const explain = useExplain()
  const queries = useQueryClient()
  const site = useSite()
  const own = useSession()?.id
  const onMembers = useCallback(() => {
    void queries.invalidateQueries({ queryKey: ['room', room.id] })
    void queries.invalidateQueries({ queryKey: ['members', room.id] })
  }, [queries, room.id])
  const { talk, typing, show } = useTalk(room.id, onMembers)
  const [draft, setDraft] = useState<Draft>({ kind: 'new' })
  const [wrong, setWrong] = useState<string | null>(null)
  const [isShowingPeople, setShowingPeople] = useState(false)
  const [attempts] = useState(() => new Attempts())
  const now = useNow(1000)
  const others = typists(talk, own, now)
  const isMuted = room.muted_until !== null && Date.parse(room.muted_until) > now
  const last = talk.messages.at(-1)?.id
  useEffect(() => {
    if (last) see(String(room.id), last)
  }, [last, room.id])

  const onFiles = useCallback(
    (gathered: Gathered[]) => {
      const large = gathered.find(({ file }) => file.size > site.upload_size)
      if (gathered.length === 0) setWrong(t('sending.emptyFolder'))
      else if (large) setWrong(t('rooms.tooLarge', { name: large.name }))
      else {
        setWrong(null)
        pass(room.id, gathered, site.longest_life_seconds, draft.kind === 'reply' ? draft.to.id : null)
        setDraft({ kind: 'new' })
      }
    },
    [draft, room.id, site.longest_life_seconds, site.upload_size, t],
  )
  const isOver = usePageDrop({ onFiles, onUnreadable: () => setWrong(t('sending.unreadable')) })

  async function say(text: string) {
    setWrong(null)
    try {
      if (draft.kind === 'edit') show({ ...(await editMessage(room.id, draft.message.id, text)), edited: true })
      else {
        const wanted = { text, reply_to: draft.kind === 'reply' ? draft.to.id : null }
        // The answer may be lost after the message was taken; sent again, it is still one message.
        show(await postMessage(room.id, wanted, attempts.keyOf(wanted)))
        attempts.succeeded()
      }
      setDraft({ kind: 'new' })
    } catch (error) {
      setWrong(explain(error))
      throw error
    }
  }

  const acts = useMemo(
    () => ({
      onReply: (to: Message) => setDraft({ kind: 'reply', to }),
      onEdit: (message: Message) => setDraft({ kind: 'edit', message }),
      onWrong: setWrong,
    }),
    [],
  )

  return (
    <>
      <RoomHead room={room} online={talk.isLive ? talk.online.size : null}>
        <span className="talkState">
          <span role="status" className={talk.isLive ? 'isLive' : 'faint'}>
            {talk.isLive ? `● ${t('rooms.live')}` : talk.isClosed ? t('rooms.closed') : t('rooms.connecting')}
          </span>
          <button type="button" className="link small" aria-expanded={isShowingPeople} onClick={() => setShowingPeople(!isShowingPeople)}>
            {t('rooms.people')}
          </button>
        </span>
      </RoomHead>
      <div className={`talkBody${isOver ? ' over' : ''}`}>
        <div className="talkColumn">
          <Messages room={room} messages={talk.messages} acts={acts} />
          <p className="typing small faint" role="status">
            {others.length > 0 && t('rooms.typing', { count: others.length, names: others.slice(0, 3).join(', ') })}
          </p>
          {(wrong ?? talk.problem) && (
            <p role="alert" className="notice bad small">
              {talk.isClosed ? t('rooms.closedHint') : (wrong ?? explain(talk.problem))}
            </p>
          )}
          {talk.problem ? null : talk.isClosed ? (
            <p className="notice small">{t('rooms.closedHint')}</p>
          ) : isMuted ? (
            <p className="notice small">{t('rooms.muted')}</p>
          ) : (
            <Composer draft={draft} onSay={say} onTyping={typing} onFiles={onFiles} onCancel={() => setDraft({ kind: 'new' })} />
          )}
        </div>
        {isShowingPeople && <People room={room} online={talk.online} onClose={() => setShowingPeople(false)} />}
      </div>
    </>
  )
}
