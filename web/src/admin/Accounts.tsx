import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Account } from '../api/admin'
import { AccountDialog } from './AccountDialog'
import { Invitations } from './Invitations'
import { Listing } from './Listing'
import { Moment } from './Moment'

export function Accounts() {
  const { t } = useTranslation('admin')
  const queries = useQueryClient()
  const [shown, setShown] = useState<Account | null>(null)
  return (
    <>
      <Listing<Account>
        name="accounts"
        search={t('accounts.search')}
        count={(count) => t('accounts.count', { count })}
        empty={t('accounts.none')}
        idOf={({ id }) => id}
        nameOf={({ name }) => name}
        filters={[
          {
            key: 'role',
            label: t('accounts.anyRole'),
            values: (['user', 'administrator'] as const).map((value) => ({ value, label: t(`accounts.${value}`) })),
          },
          {
            key: 'state',
            label: t('accounts.anyState'),
            values: (['active', 'suspended'] as const).map((value) => ({ value, label: t(`accounts.${value}`) })),
          },
        ]}
        columns={[
          {
            name: t('list.name'),
            sort: 'name',
            cell: (account) => (
              <div className="name">
                <bdi>{account.name}</bdi>
                {account.email && <div className="figures anywhere">{account.email}</div>}
              </div>
            ),
          },
          { name: t('accounts.role'), cell: (account) => t(`accounts.${account.role}`) },
          {
            name: t('list.state'),
            cell: (account) =>
              account.suspended_at ? <span className="pill bad">{t('accounts.suspended')}</span> : <span className="pill good">{t('accounts.active')}</span>,
          },
          { name: t('list.created'), sort: 'created_at', cell: (account) => <Moment at={account.created_at} /> },
          { name: t('accounts.lastSeen'), sort: 'last_seen_at', cell: (account) => <Moment at={account.last_seen_at} never={t('accounts.never')} /> },
        ]}
        actions={(account) => (
          <button type="button" className="link small" aria-label={t('accounts.manageNamed', { name: account.name })} onClick={() => setShown(account)}>
            {t('accounts.manage')}
          </button>
        )}
      />
      <Invitations />
      {shown && (
        <AccountDialog
          account={shown}
          onClose={() => setShown(null)}
          onChanged={() => void queries.invalidateQueries({ queryKey: ['admin'] })}
        />
      )}
    </>
  )
}
