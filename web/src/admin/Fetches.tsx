import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { type AnyFetch, cancelFetch } from '../api/admin'
import { percent, size } from '../format'
import { Wrong } from '../parts/Wrong'
import { Listing } from './Listing'
import { Moment } from './Moment'
import { Owner } from './Owner'

const STATES = ['queued', 'fetching', 'done', 'failed', 'canceled'] as const

export function Fetches() {
  const { t, i18n } = useTranslation('admin')
  const queries = useQueryClient()
  const cancel = useMutation({ mutationFn: cancelFetch, onSettled: () => queries.invalidateQueries({ queryKey: ['admin', 'fetches'] }) })
  return (
    <>
      <Wrong error={cancel.error} />
      <Listing<AnyFetch>
        name="fetches"
        count={(count) => t('fetches.count', { count })}
        empty={t('fetches.none')}
        idOf={({ id }) => id}
        nameOf={({ url }) => url}
        filters={[{ key: 'state', label: t('fetches.anyState'), values: STATES.map((value) => ({ value, label: t(`fetches.${value}`) })) }]}
        columns={[
          {
            name: t('fetches.what'),
            cell: (fetched) => (
              <div className="name">
                <bdi>{fetched.file_name ?? fetched.url}</bdi>
                {fetched.file_name && <div className="figures anywhere">{fetched.url}</div>}
              </div>
            ),
          },
          { name: t('list.owner'), cell: (fetched) => <Owner id={fetched.owner} /> },
          {
            name: t('list.state'),
            cell: (fetched) => (
              <>
                <span className={`pill${fetched.state === 'failed' ? ' bad' : fetched.state === 'done' ? ' good' : ''}`}>
                  {t(`fetches.${fetched.state}`)}
                  {fetched.state === 'fetching' && fetched.size !== null && ` ${percent(fetched.bytes_done, fetched.size, i18n.language)}`}
                </span>
                {fetched.error && <div className="figures anywhere">{fetched.detail ?? fetched.error}</div>}
              </>
            ),
          },
          { name: t('list.size'), isNumber: true, cell: (fetched) => (fetched.size === null ? '—' : size(fetched.size, i18n.language)) },
          { name: t('list.created'), cell: (fetched) => <Moment at={fetched.created_at} /> },
        ]}
        actions={(fetched) =>
          (fetched.state === 'queued' || fetched.state === 'fetching') && (
            <button type="button" className="link small" onClick={() => cancel.mutate(fetched.id)}>
              {t('cancel')}
            </button>
          )
        }
      />
    </>
  )
}
