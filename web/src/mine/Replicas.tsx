import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { listMirrors, listReplicas, type OwnedFile, type Replica, retryMirror, unwantMirror, wantMirrors } from '../api/files'
import { percent } from '../format'
import { Wrong } from '../parts/Wrong'

/** A file on every mirror, with the progress of its copies. */
export function Replicas({ file }: { file: OwnedFile }) {
  const { t } = useTranslation('own')
  const queries = useQueryClient()
  const key = ['replicas', file.id]
  const found = useQuery({
    queryKey: key,
    queryFn: () => listReplicas(file.id),
    refetchInterval: ({ state }) => (state.data?.mirrors.some((each) => each.state === 'queued' || each.state === 'copying') ? 1500 : false),
  })
  const usable = useQuery({ queryKey: ['mirrors'], queryFn: listMirrors })
  const act = useMutation({
    mutationFn: (doing: () => Promise<unknown>) => doing(),
    onSettled: () => queries.invalidateQueries({ queryKey: key }),
  })
  const replicas = found.data?.mirrors ?? []
  const others = (usable.data ?? []).filter(({ id }) => !replicas.some(({ mirror_id }) => mirror_id === id))
  if (replicas.length === 0 && others.length === 0) return null
  return (
    <section className="replicas">
      <h3>{t('mirrors.title')}</h3>
      <ul className="rows">
        {replicas.map((replica) => (
          <ReplicaRow
            key={replica.mirror_id}
            replica={replica}
            whole={file.size}
            onRetry={() => act.mutate(() => retryMirror(file.id, replica.mirror_id))}
            onRemove={() => act.mutate(() => unwantMirror(file.id, replica.mirror_id))}
          />
        ))}
        {others.map((mirror) => (
          <li key={mirror.id}>
            <bdi>{mirror.name}</bdi>
            <button type="button" className="link small" onClick={() => act.mutate(() => wantMirrors(file.id, [mirror.id]))}>
              {t('mirrors.copy')}
            </button>
          </li>
        ))}
      </ul>
      <Wrong error={act.error ?? found.error} />
    </section>
  )
}

type RowProps = { replica: Replica; whole: number; onRetry: () => void; onRemove: () => void }

function ReplicaRow({ replica, whole, onRetry, onRemove }: RowProps) {
  const { t, i18n } = useTranslation('own')
  const state =
    replica.state === 'copying' ? t('mirrors.copyingAt', { percent: percent(replica.bytes_done, whole, i18n.language) }) : t(`mirrors.${replica.state}`)
  return (
    <li>
      <div>
        <p className="itemName">{replica.mirror}</p>
        <p className="figures">
          {state}
          {replica.error && ` · ${replica.error}`}
        </p>
      </div>
      <div className="buttons rowActions">
        {isSafe(replica.url) && (
          <a className="link small" href={replica.url} rel="noopener noreferrer nofollow" target="_blank">
            {t('mirrors.open')}
          </a>
        )}
        {(replica.state === 'failed' || replica.state === 'verified') && (
          <button type="button" className="link small" onClick={onRetry}>
            {replica.state === 'failed' ? t('mirrors.retry') : t('mirrors.check')}
          </button>
        )}
        <button type="button" className="link small" onClick={onRemove}>
          {t('mirrors.remove')}
        </button>
      </div>
    </li>
  )
}

const isSafe = (url: string | null): url is string => url !== null && /^(https?|ftp):\/\//i.test(url)
