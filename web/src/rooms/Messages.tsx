import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { serverNow } from '../api/clock'
import type { Message, Room } from '../api/rooms'
import { duration } from '../format'
import { useNow } from '../parts/useNow'
import { Bubble } from './Bubble'
import { visibility } from './events'
import { PassingRow } from './PassingRow'
import { usePassing } from './passing'

export type Acts = { onReply: (message: Message) => void; onEdit: (message: Message) => void; onWrong: (words: string) => void }
type Props = { room: Room; messages: Message[]; acts: Acts }

/** Near enough to the end that a reader wants to see what comes. */
const NEAR = 120

/** The messages of a room, the oldest fading before it goes, and the files that are on their way into it. */
export function Messages({ room, messages, acts }: Props) {
  const { t, i18n } = useTranslation()
  const now = serverNow(useNow(5000))
  const passing = usePassing(room.id)
  const list = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  const alive = messages.filter((message) => visibility(Date.parse(message.created_at), now, room.lifetime_seconds) > 0)
  const byId = new Map(alive.map((message) => [message.id, message]))
  const last = alive.at(-1)?.id
  const isEmpty = alive.length === 0 && passing.length === 0
  const toEnd = () => {
    if (list.current && isAtEnd.current) list.current.scrollTop = list.current.scrollHeight
  }
  useEffect(toEnd, [last, passing.length])
  useEffect(() => {
    // The list gets smaller when a keyboard or a panel opens.
    const watch = new ResizeObserver(toEnd)
    if (list.current) watch.observe(list.current)
    return () => watch.disconnect()
  }, [isEmpty])

  if (isEmpty) {
    return (
      <div className="messages centered">
        <p>{t('rooms.empty')}</p>
        <p className="faint small">{t('rooms.emptyHint', { time: duration(room.lifetime_seconds * 1000, i18n.language) })}</p>
      </div>
    )
  }
  return (
    <div
      ref={list}
      className="messages"
      role="log"
      aria-label={t('rooms.log')}
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR
      }}
    >
      <ol className="bubbles">
        {alive.map((message) => (
          <Bubble
            key={message.id}
            message={message}
            answered={message.reply_to === null ? null : (byId.get(message.reply_to) ?? 'gone')}
            now={now}
            room={room}
            acts={acts}
          />
        ))}
        {passing.map((each) => (
          <PassingRow key={each.id} passing={each} />
        ))}
      </ol>
    </div>
  )
}
