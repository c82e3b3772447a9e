import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { changePolicy, readPolicy } from '../api/admin'
import { Problem } from '../api/problem'
import type { PolicyView } from '../api/types'
import { Waiting } from '../parts/Waiting'
import { Wrong } from '../parts/Wrong'
import { conflicts, type Field, type Group, GROUPS, isSame, others } from './policyFields'
import { Collision } from './Collision'
import { INVALID, PolicyField } from './PolicyField'
import { Revisions } from './Revisions'

const KEY = ['admin', 'policy']
type Values = Record<string, unknown>

/** The rules of the place. */
export function Policy() {
  const found = useQuery({ queryKey: KEY, queryFn: readPolicy, staleTime: Infinity })
  if (found.isPending) return <Waiting />
  if (!found.data) return <Wrong error={found.error} />
  return <PolicyForm policy={found.data} />
}

function PolicyForm({ policy }: { policy: PolicyView }) {
  const { t } = useTranslation('admin')
  const queries = useQueryClient()
  // What is compared with, until this administrator has seen what another did.
  const [seen, setSeen] = useState(policy)
  const [edits, setEdits] = useState<Values>({})
  const [round, setRound] = useState(0)
  const [theirs, setTheirs] = useState<PolicyView | null>(null)
  const values = seen.values as unknown as Values
  const isValid = !Object.values(edits).includes(INVALID)

  function take(next: PolicyView, kept: Values = {}) {
    queries.setQueryData(KEY, next)
    void queries.invalidateQueries({ queryKey: ['admin', 'revisions'] })
    void queries.invalidateQueries({ queryKey: ['site'] })
    setSeen(next)
    setEdits(kept)
    setTheirs(null)
    setRound((before) => before + 1)
  }

  const save = useMutation({
    mutationFn: ({ version, wanted }: { version: number; wanted: Values }) => changePolicy(version, wanted),
    onSuccess: (next) => take(next),
    onError: (error) => {
      // Until it can be shown what the other did, the problem itself is.
      if (error instanceof Problem && error.code === 'policy_changed') void readPolicy().then(setTheirs, () => undefined)
    },
  })
  useUnsaved(Object.keys(edits).length > 0)

  function edit(name: string, value: unknown) {
    setEdits((before) => {
      const { [name]: _, ...rest } = before
      return isSame(value, values[name]) ? rest : { ...rest, [name]: value }
    })
  }

  const field = (each: Field) => (
    <PolicyField
      key={`${each.name} ${round}`}
      field={each}
      value={each.name in edits ? edits[each.name] : values[each.name]}
      onChange={(value) => edit(each.name, value)}
    />
  )
  const rest = others(values)
  return (
    <>
      <form
        className="policy"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate({ version: seen.version, wanted: edits })
        }}
      >
        {(Object.keys(GROUPS) as Group[]).map((group) => (
          <section key={group} className="card inner">
            <h2>{t(`policy.groups.${group}`)}</h2>
            <div className="pair">{GROUPS[group].filter(({ name }) => name in values).map(field)}</div>
          </section>
        ))}
        {rest.length > 0 && (
          <section className="card inner">
            <h2>{t('policy.groups.others')}</h2>
            <div className="pair">{rest.map(field)}</div>
          </section>
        )}
        {(Object.keys(edits).length > 0 || save.isSuccess) && (
          <div className="saveBar" role="status">
            <span>{Object.keys(edits).length > 0 ? t('policy.changed', { count: Object.keys(edits).length }) : `✓ ${t('policy.saved')}`}</span>
            {Object.keys(edits).length > 0 && (
              <div className="buttons">
                <Button type="submit" loading={save.isPending} disabled={!isValid}>
                  {t('save')}
                </Button>
                <Button variant="default" onClick={() => take(seen)}>
                  {t('policy.discard')}
                </Button>
              </div>
            )}
          </div>
        )}
        {!theirs && <Wrong error={save.error} />}
      </form>
      {theirs && (
        <Collision
          names={conflicts(edits, values, theirs.values as unknown as Values)}
          mine={edits}
          before={values}
          theirs={theirs.values as unknown as Values}
          isBusy={save.isPending}
          onMine={() => save.mutate({ version: theirs.version, wanted: edits })}
          onTheirs={() => take(theirs)}
          onClose={() => {
            setTheirs(null)
            save.reset()
          }}
        />
      )}
      <Revisions />
    </>
  )
}

/** Whoever leaves with changes that are not saved is asked. */
function useUnsaved(isUnsaved: boolean) {
  useEffect(() => {
    if (!isUnsaved) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [isUnsaved])
}
