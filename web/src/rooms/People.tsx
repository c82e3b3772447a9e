import { Button } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { changeMember, closeRoom, invite, leaveRoom, liftBan, type Member, readBans, readMembers, removeMember, type Room } from '../api/rooms'
import type { MemberChanges } from '../api/types'
import { useSession } from '../api/session'
import { useExplain } from '../i18n'
import { Copy } from '../parts/Copy'
import { Cross } from '../parts/icons'
import { Name } from '../parts/Name'
import { Sure } from '../parts/Sure'
import { RoomSettings } from './RoomSettings'
import { Writer } from './Writer'

type Props = { room: Room; online: ReadonlyMap<string, string>; onClose: () => void }

/** Who is in a room and here now; for its owner and moderators, the ways to keep order in it. */
export function People({ room, online, onClose }: Props) {
  const { t } = useTranslation()
  const explain = useExplain()
  const queries = useQueryClient()
  const [, go] = useLocation()
  const [wrong, setWrong] = useState<string | null>(null)
  const mayModerate = room.role === 'owner' || room.role === 'moderator'
  const members = useQuery({ queryKey: ['members', room.id], queryFn: () => readMembers(room.id) })
  const bans = useQuery({ queryKey: ['bans', room.id], queryFn: () => readBans(room.id), enabled: mayModerate })

  async function act(work: () => Promise<unknown>, goesTo?: string) {
    setWrong(null)
    try {
      await work()
      if (goesTo) go(goesTo)
      await queries.invalidateQueries()
    } catch (error) {
      setWrong(explain(error))
    }
  }

  return (
    <aside className="people" aria-label={t('rooms.people')}>
      <div className="line">
        <h3>{t('rooms.members', { count: room.members })}</h3>
        <button type="button" className="removeItem" aria-label={t('rooms.closePanel')} onClick={onClose}>
          <Cross />
        </button>
      </div>
      {wrong && (
        <p role="alert" className="notice bad small">
          {wrong}
        </p>
      )}
      <ul>
        {(members.data ?? []).map((member) => (
          <Person
            key={member.account.id}
            member={member}
            room={room}
            isOnline={online.has(member.account.id)}
            onChange={(changes) => void act(() => changeMember(room.id, member.account.id, changes))}
            onRemove={() => void act(() => removeMember(room.id, member.account.id))}
          />
        ))}
      </ul>
      {room.is_private && mayModerate && <Invite room={room} onWrong={(error) => setWrong(explain(error))} />}
      {(bans.data ?? []).length > 0 && (
        <section>
          <h3 className="small faint">{t('rooms.bans')}</h3>
          <ul>
            {bans.data!.map((account) => (
              <li key={account.id} className="line">
                <span>
                  <Name of={account} />
                </span>
                <button type="button" className="link quiet small" onClick={() => void act(() => liftBan(room.id, account.id))}>
                  {t('rooms.liftBan')}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {room.role === 'owner' && <RoomSettings room={room} />}
      <div className="peopleFoot">
        <Sure asks={t('rooms.sureLeave')} onSure={() => void act(() => leaveRoom(room.id), '/rooms')}>
          {t('rooms.leave')}
        </Sure>
        {room.role === 'owner' && (
          <Sure asks={t('rooms.sureClose')} onSure={() => void act(() => closeRoom(room.id), '/rooms')}>
            {t('rooms.close')}
          </Sure>
        )}
      </div>
    </aside>
  )
}

type PersonProps = { member: Member; room: Room; isOnline: boolean; onChange: (changes: MemberChanges) => void; onRemove: () => void }

function Person({ member, room, isOnline, onChange, onRemove }: PersonProps) {
  const { t } = useTranslation()
  const own = useSession()?.id
  const [isOpen, setOpen] = useState(false)
  const { account, role, muted_until } = member
  const isMuted = muted_until !== null && Date.parse(muted_until) > Date.now()
  const isOwn = account.id === own
  const mayModerate = !isOwn && account.name !== null && role !== 'owner' && (room.role === 'owner' || (room.role === 'moderator' && role === 'member'))
  const facts = [role !== 'member' && t(`rooms.role_${role}`), isMuted && t('rooms.isMuted'), !isOnline && t('rooms.away')]
  return (
    <li>
      <div className="person">
        <span className={`dot${isOnline ? ' on' : ''}`} aria-hidden="true" />
        <span className="personName">
          <Writer id={account.id} of={account} />
          {isOwn && <span className="faint"> ({t('rooms.you')})</span>}
          <span className="figures">{facts.filter(Boolean).join(' · ')}</span>
        </span>
        {mayModerate && (
          <button type="button" className="link quiet small" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {t('rooms.more')}
          </button>
        )}
      </div>
      {isOpen && mayModerate && (
        <div className="personActs small">
          {isMuted ? (
            <button type="button" className="link quiet" onClick={() => onChange({ muted_seconds: 0 })}>
              {t('rooms.unmute')}
            </button>
          ) : (
            <button type="button" className="link quiet" onClick={() => onChange({ muted_seconds: 600 })}>
              {t('rooms.mute')}
            </button>
          )}
          {room.role === 'owner' && (
            <button type="button" className="link quiet" onClick={() => onChange({ role: role === 'member' ? 'moderator' : 'member' })}>
              {role === 'member' ? t('rooms.promote') : t('rooms.demote')}
            </button>
          )}
          {room.role === 'owner' && (
            <Sure asks={t('rooms.sureOwner')} onSure={() => onChange({ role: 'owner' })}>
              {t('rooms.passOn')}
            </Sure>
          )}
          <Sure asks={t('rooms.sureBan')} onSure={onRemove}>
            {t('rooms.ban')}
          </Sure>
        </div>
      )}
    </li>
  )
}

function Invite({ room, onWrong }: { room: Room; onWrong: (error: unknown) => void }) {
  const { t } = useTranslation()
  const [url, setUrl] = useState<string | null>(null)
  if (url === null) {
    return (
      <Button variant="default" onClick={() => invite(room.id, {}).then((made) => setUrl(made.url), onWrong)}>
        {t('rooms.invite')}
      </Button>
    )
  }
  return (
    <div className="invite small">
      <p className="faint">{t('rooms.inviteHint')}</p>
      <code dir="ltr">{url}</code>
      <Copy text={url}>{t('sending.copyLink')}</Copy>
    </div>
  )
}
