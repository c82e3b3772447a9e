import { Switch } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { chooseMirrors, listMirrors } from '../api/files'
import { Wrong } from '../parts/Wrong'

const KEY = ['mirrors']

/** The mirrors that new files are copied to. */
export function MirrorChoice() {
  const { t } = useTranslation('own')
  const queries = useQueryClient()
  const found = useQuery({ queryKey: KEY, queryFn: listMirrors })
  const choose = useMutation({ mutationFn: chooseMirrors, onSettled: () => queries.invalidateQueries({ queryKey: KEY }) })
  const mirrors = found.data ?? []
  if (mirrors.length === 0) return null
  const chosen = mirrors.filter(({ is_default }) => is_default).map(({ id }) => id)
  return (
    <section className="card inner form">
      <h2>{t('mirrors.choice')}</h2>
      {mirrors.map((mirror) => (
        <Switch
          key={mirror.id}
          checked={mirror.is_default}
          disabled={choose.isPending}
          label={<bdi>{mirror.name}</bdi>}
          description={mirror.is_well ? mirror.kind : `${mirror.kind} · ${t('mirrors.unwell')}`}
          onChange={(event) => choose.mutate(event.target.checked ? [...chosen, mirror.id] : chosen.filter((id) => id !== mirror.id))}
        />
      ))}
      <Wrong error={choose.error ?? found.error} />
    </section>
  )
}
