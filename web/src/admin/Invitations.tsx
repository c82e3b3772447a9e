import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { endInvitation, listInvitations, makeInvitation } from '../api/admin'
import type { AccountInvitation, Role } from '../api/types'
import { moment } from '../format'
import { Once } from '../parts/Once'
import { usePages } from '../parts/usePages'
import { Wrong } from '../parts/Wrong'
import { Owner } from './Owner'

const KEY = ['admin', 'invitations']

/** Links by which somebody makes an account, also while registration is closed. */
export function Invitations() {
  const { t, i18n } = useTranslation('admin')
  const queries = useQueryClient()
  const found = usePages(KEY, listInvitations)
  const [note, setNote] = useState('')
  const [role, setRole] = useState<Role>('user')
  const again = () => queries.invalidateQueries({ queryKey: KEY })
  const make = useMutation({
    mutationFn: () => makeInvitation({ note: note.trim(), role, days: 7 }),
    onSuccess: () => setNote(''),
    onSettled: again,
  })
  const end = useMutation({ mutationFn: endInvitation, onSettled: again })
  return (
    <section className="card inner">
      <div>
        <h2>{t('invitations.title')}</h2>
        <p className="faint small">{t('invitations.hint')}</p>
      </div>
      <form
        className="oneLine"
        onSubmit={(event) => {
          event.preventDefault()
          make.mutate()
        }}
      >
        <TextInput label={t('invitations.note')} placeholder={t('invitations.example')} value={note} maxLength={200} onChange={(event) => setNote(event.target.value)} />
        <NativeSelect
          label={t('accounts.role')}
          value={role}
          data={(['user', 'administrator'] as const).map((value) => ({ value, label: t(`accounts.${value}`) }))}
          onChange={(event) => setRole(event.target.value as Role)}
        />
        <Button type="submit" variant="default" loading={make.isPending}>
          {t('invitations.make')}
        </Button>
      </form>
      {make.data && (
        <div className="notice form" role="status">
          <p>{t('invitations.once', { moment: moment(make.data.expires_at, i18n.language) })}</p>
          <Once text={make.data.url} label={t('invitations.link')}>
            {t('copyLink')}
          </Once>
        </div>
      )}
      <Wrong error={make.error ?? end.error ?? found.error} />
      {found.rows.length > 0 && (
        <ul className="rows">
          {found.rows.map((invitation) => (
            <Row key={invitation.id} invitation={invitation} onEnd={() => end.mutate(invitation.id)} />
          ))}
        </ul>
      )}
      {found.hasNextPage && (
        <button type="button" className="link small" onClick={() => void found.fetchNextPage()}>
          {t('list.more')}
        </button>
      )}
    </section>
  )
}

function Row({ invitation, onEnd }: { invitation: AccountInvitation; onEnd: () => void }) {
  const { t, i18n } = useTranslation('admin')
  const name = invitation.note || t('invitations.noNote')
  return (
    <li>
      <div>
        <p className="itemName">{name}</p>
        <p className="figures">
          {t(`accounts.${invitation.role}`)} ·{' '}
          {invitation.used_by ? (
            <>
              {t('invitations.usedBy')} <Owner id={invitation.used_by} />
            </>
          ) : (
            t(`invitations.${invitation.state}`, { moment: moment(invitation.expires_at, i18n.language) })
          )}
        </p>
      </div>
      {invitation.state === 'open' && (
        <button type="button" className="link small" aria-label={t('invitations.endNamed', { name })} onClick={onEnd}>
          {t('invitations.end')}
        </button>
      )}
    </li>
  )
}
