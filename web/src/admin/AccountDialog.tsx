import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { type Account, deleteAccount, editAccount, makeReset, readAccount } from '../api/admin'
import type { AccountEdit, Role } from '../api/types'
import { moment } from '../format'
import { Dialog } from '../parts/Dialog'
import { Once } from '../parts/Once'
import { Wrong } from '../parts/Wrong'
import { Ask } from './Ask'
import { Quota } from './Quota'

type Props = { account: Account; onClose: () => void; onChanged: () => void }

/** All that an administrator may do with an account. What it holds is reached by links; its messages are nobody's business. */
export function AccountDialog({ account, onClose, onChanged }: Props) {
  const { t, i18n } = useTranslation('admin')
  const [reason, setReason] = useState('')
  const [isDeleting, setDeleting] = useState(false)
  const found = useQuery({ queryKey: ['admin', 'account', account.id], queryFn: () => readAccount(account.id) })
  const edit = useMutation({ mutationFn: (changes: AccountEdit) => editAccount(account.id, changes), onSettled: onChanged })
  const reset = useMutation({ mutationFn: () => makeReset(account.id) })
  const now = edit.data ?? found.data ?? account
  if (isDeleting) return <Deletion account={account} onClose={onClose} onDeleted={onChanged} />
  return (
    <Dialog title={account.name} onClose={onClose}>
      <div className="form">
        <p className="figures">
          {t('accounts.since', { moment: moment(account.created_at, i18n.language) })}
          {found.data && ` · ${t('accounts.sessions', { count: found.data.sessions })} · ${t('accounts.keys', { count: found.data.keys })}`}
        </p>
        <div className="buttons">
          <Link className="link small" href={`/admin/shares?owner=${account.id}`}>
            {t('accounts.itsShares')}
          </Link>
          <Link className="link small" href={`/admin/files?owner=${account.id}`}>
            {t('accounts.itsFiles')}
          </Link>
          <Link className="link small" href={`/admin/rooms?owner=${account.id}`}>
            {t('accounts.itsRooms')}
          </Link>
        </div>
        <NativeSelect
          label={t('accounts.role')}
          value={now.role}
          disabled={edit.isPending}
          data={(['user', 'administrator'] as const).map((value) => ({ value, label: t(`accounts.${value}`) }))}
          onChange={(event) => edit.mutate({ role: event.target.value as Role })}
        />
        {now.suspended_at ? (
          <div className="notice bad">
            <p>
              {t('accounts.suspendedSince', { moment: moment(now.suspended_at, i18n.language) })}
              {now.suspended_for && `: ${now.suspended_for}`}
            </p>
            <button type="button" className="link" disabled={edit.isPending} onClick={() => edit.mutate({ suspended: false })}>
              {t('accounts.restore')}
            </button>
          </div>
        ) : (
          <form
            className="oneLine"
            onSubmit={(event) => {
              event.preventDefault()
              edit.mutate({ suspended: true, reason })
            }}
          >
            <TextInput label={t('accounts.reason')} value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
            <Button type="submit" variant="default" loading={edit.isPending}>
              {t('accounts.suspend')}
            </Button>
          </form>
        )}
        <Wrong error={edit.error ?? found.error} />
        <Quota account={account.id} />
        <section className="form">
          <div className="line">
            <span>{t('accounts.forgot')}</span>
            <Button variant="default" loading={reset.isPending} onClick={() => reset.mutate()}>
              {t('accounts.makeReset')}
            </Button>
          </div>
          {reset.data && (
            <div className="notice form" role="status">
              <p>{t('accounts.resetOnce', { moment: moment(reset.data.expires_at, i18n.language) })}</p>
              <Once text={reset.data.url} label={t('accounts.resetLink')}>
                {t('copyLink')}
              </Once>
            </div>
          )}
          <Wrong error={reset.error} />
        </section>
        <div className="buttons">
          <Button variant="default" className="danger" onClick={() => setDeleting(true)}>
            {t('accounts.delete')}…
          </Button>
        </div>
      </div>
    </Dialog>
  )
}

function Deletion({ account, onClose, onDeleted }: { account: Account; onClose: () => void; onDeleted: () => void }) {
  const { t } = useTranslation('admin')
  const [typed, setTyped] = useState('')
  return (
    <Ask
      title={t('accounts.deleteReally', { name: account.name })}
      act={t('accounts.delete')}
      isReady={typed === account.name}
      onClose={onClose}
      onAct={() => deleteAccount(account.id).then(onDeleted)}
    >
      <p>{t('accounts.deleteHint')}</p>
      <TextInput
        label={t('accounts.typeName', { name: account.name })}
        value={typed}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setTyped(event.target.value)}
      />
    </Ask>
  )
}
