import { Button, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { cancelFetch, type Fetched, listFetches, startFetch } from '../api/files'
import { ending, percent, size } from '../format'
import { usePages } from '../parts/usePages'
import { Wrong } from '../parts/Wrong'
import { Bar } from '../send/PieceRow'

const KEY = ['fetches']
const LOOK_MILLISECONDS = 1500
const isRunning = ({ state }: Fetched) => state === 'queued' || state === 'fetching'

/** Files that the server fetches by their address. */
export function Fetches() {
  const { t } = useTranslation('own')
  const queries = useQueryClient()
  const [url, setUrl] = useState('')
  const found = usePages(KEY, listFetches)
  const again = () => queries.invalidateQueries({ queryKey: KEY })
  const start = useMutation({ mutationFn: () => startFetch(url.trim(), null), onSuccess: () => setUrl(''), onSettled: again })
  const cancel = useMutation({ mutationFn: cancelFetch, onSettled: again })
  const isBusy = found.rows.some(isRunning)
  useEffect(() => {
    if (!isBusy) return
    const timer = setInterval(() => void again(), LOOK_MILLISECONDS)
    return () => clearInterval(timer)
  }, [isBusy])
  return (
    <>
      <form
        className="card inner form"
        onSubmit={(event) => {
          event.preventDefault()
          start.mutate()
        }}
      >
        <div className="oneLine">
          <TextInput
            type="url"
            label={t('fetches.address')}
            placeholder="https://example.org/film.mp4"
            value={url}
            autoComplete="off"
            onChange={(event) => setUrl(event.target.value)}
          />
          <Button type="submit" loading={start.isPending} disabled={url.trim() === ''}>
            {t('fetches.start')}
          </Button>
        </div>
        <Wrong error={start.error ?? cancel.error ?? found.error} />
      </form>
      {found.isSuccess && found.rows.length === 0 && (
        <section className="card centered">
          <h2>{t('fetches.none')}</h2>
          <p className="faint">{t('fetches.noneHint')}</p>
        </section>
      )}
      {found.rows.length > 0 && (
        <ul className="card list">
          {found.rows.map((fetched) => (
            <FetchRow key={fetched.id} fetched={fetched} onCancel={() => cancel.mutate(fetched.id)} />
          ))}
        </ul>
      )}
      {found.hasNextPage && (
        <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t('more')}
        </Button>
      )}
    </>
  )
}

function FetchRow({ fetched, onCancel }: { fetched: Fetched; onCancel: () => void }) {
  const { t, i18n } = useTranslation('own')
  const name = fetched.name ?? fetched.url
  const figures = [
    fetched.size !== null && size(fetched.size, i18n.language),
    fetched.state === 'fetching' && fetched.size !== null && percent(fetched.bytes_done, fetched.size, i18n.language),
    fetched.state === 'fetching' && fetched.size === null && size(fetched.bytes_done, i18n.language),
    fetched.error !== null && (fetched.detail ?? fetched.error),
  ]
  return (
    <li className="item">
      <span className="tile" aria-hidden="true">
        {ending(name) || '↓'}
      </span>
      <div className="itemBody">
        <p className="itemName">{name}</p>
        <p className="figures anywhere">{[fetched.name && fetched.url, ...figures].filter(Boolean).join(' · ')}</p>
        {fetched.state === 'fetching' && fetched.size !== null && <Bar name={name} part={fetched.bytes_done} whole={fetched.size} />}
      </div>
      {fetched.code && fetched.state === 'done' ? (
        <a className="code" href={fetched.share_url ?? `/c/${fetched.code}`} translate="no">
          {fetched.code}
        </a>
      ) : (
        <span className={`itemState small${fetched.state === 'failed' ? ' failed' : ''}`}>{t(`fetches.${fetched.state}`)}</span>
      )}
      {isRunning(fetched) && (
        <button type="button" className="link small" aria-label={t('fetches.cancelNamed', { name })} onClick={onCancel}>
          {t('cancel')}
        </button>
      )}
    </li>
  )
}
