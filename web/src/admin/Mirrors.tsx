import { Button, Switch } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type AnyMirror, changeMirror, checkMirror, listMirrors, removeMirror } from '../api/admin'
import { moment } from '../format'
import { Waiting } from '../parts/Waiting'
import { Wrong } from '../parts/Wrong'
import { Ask } from './Ask'
import { NewMirror } from './NewMirror'
import { ReplicaCounts } from './ReplicaCounts'

const KEY = ['admin', 'mirrors']
const LOOK_MILLISECONDS = 10_000

/** Where files are copied to, with the health of each. */
export function Mirrors() {
  const { t } = useTranslation('admin')
  const queries = useQueryClient()
  const [isAdding, setAdding] = useState(false)
  const found = useQuery({ queryKey: KEY, queryFn: listMirrors, refetchInterval: LOOK_MILLISECONDS })
  const again = () => queries.invalidateQueries({ queryKey: KEY })
  if (found.isPending) return <Waiting />
  const mirrors = found.data ?? []
  return (
    <>
      <Wrong error={found.error} />
      {mirrors.length === 0 && !found.error ? (
        <section className="card centered">
          <h2>{t('mirrors.none')}</h2>
          <p className="faint">{t('mirrors.noneHint')}</p>
          <Button onClick={() => setAdding(true)}>{t('mirrors.add')}</Button>
        </section>
      ) : (
        <div className="line">
          <span className="faint small">{t('mirrors.count', { count: mirrors.length })}</span>
          <Button variant="default" onClick={() => setAdding(true)}>
            {t('mirrors.add')}
          </Button>
        </div>
      )}
      {mirrors.map((mirror) => (
        <MirrorCard key={mirror.id} mirror={mirror} onChanged={() => void again()} />
      ))}
      {isAdding && <NewMirror onClose={() => setAdding(false)} onAdded={() => void again()} />}
    </>
  )
}

function MirrorCard({ mirror, onChanged }: { mirror: AnyMirror; onChanged: () => void }) {
  const { t, i18n } = useTranslation('admin')
  const [isRemoving, setRemoving] = useState(false)
  const [forgets, setForgets] = useState(false)
  const check = useMutation({ mutationFn: () => checkMirror(mirror.id), onSettled: onChanged })
  const change = useMutation({ mutationFn: (changes: Partial<AnyMirror>) => changeMirror(mirror.id, changes), onSettled: onChanged })
  const tone = mirror.health === 'ok' ? ' good' : mirror.health === 'failing' || mirror.health === 'paused' ? ' bad' : ''
  return (
    <article className="card inner">
      <div className="line">
        <h2>
          <bdi>{mirror.name}</bdi> <span className="faint small">{mirror.kind}</span>
        </h2>
        <span className={`pill${tone}`}>{t(`mirrors.${mirror.health}`)}</span>
      </div>
      <p className="figures">
        <ReplicaCounts counts={mirror.replicas} />
        {mirror.probed_at && ` · ${t('mirrors.checked', { moment: moment(mirror.probed_at, i18n.language) })}`}
        {mirror.accounts && ` · ${t('mirrors.for', { count: mirror.accounts.length })}`}
      </p>
      {mirror.last_error && <p className="notice bad small anywhere">{mirror.last_error}</p>}
      <div className="line mirrorFoot">
        <div className="buttons switches">
          <Switch
            label={t('mirrors.enabled')}
            checked={mirror.is_enabled}
            disabled={change.isPending}
            onChange={(event) => change.mutate({ is_enabled: event.target.checked })}
          />
          <Switch
            label={t('mirrors.default')}
            checked={mirror.is_default}
            disabled={change.isPending}
            onChange={(event) => change.mutate({ is_default: event.target.checked })}
          />
        </div>
        <div className="buttons">
          <Button variant="default" loading={check.isPending} onClick={() => check.mutate()}>
            {t('mirrors.check')}
          </Button>
          <Button variant="default" className="danger" onClick={() => setRemoving(true)}>
            {t('mirrors.remove')}…
          </Button>
        </div>
      </div>
      {check.data && (
        <p role="status" className={`notice${check.data.error ? ' bad' : ''}`}>
          {check.data.error ? [check.data.step, check.data.message ?? check.data.error].filter(Boolean).join(': ') : `✓ ${t('mirrors.works')}`}
        </p>
      )}
      <Wrong error={check.error ?? change.error} />
      {isRemoving && (
        <Ask
          title={t('mirrors.removeReally', { name: mirror.name })}
          act={t('mirrors.remove')}
          onClose={() => setRemoving(false)}
          onAct={() => removeMirror(mirror.id, forgets).then(onChanged)}
        >
          <p>{t('mirrors.removeHint')}</p>
          <Switch label={t('mirrors.forget')} checked={forgets} onChange={(event) => setForgets(event.target.checked)} />
        </Ask>
      )}
    </article>
  )
}
