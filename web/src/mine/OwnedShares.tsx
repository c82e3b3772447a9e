import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useLocation } from 'wouter'
import { serverNow } from '../api/clock'
import { deleteShare, each, extendShare, listShares, type OwnedShare } from '../api/owned'
import { useRemoval } from '../parts/useRemoval'
import { usePages } from '../parts/usePages'
import { Waiting } from '../parts/Waiting'
import { Wrong } from '../parts/Wrong'
import { goOn } from '../send/current'
import { EditShare } from './EditShare'
import { hasWords, NoShares, ShareRow } from './ShareRow'

const DAY = 86_400_000
const KEY = ['shares']

/** The shares of the account, from any device. */
export function OwnedShares({ words }: { words: string }) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('own')
  const [, go] = useLocation()
  const queries = useQueryClient()
  const removal = useRemoval<string>()
  const [edited, setEdited] = useState<OwnedShare | null>(null)
  const [chosen, setChosen] = useState<readonly string[] | null>(null)
  const found = usePages(KEY, listShares, words.trim() !== '')
  const act = useMutation({
    mutationFn: (doing: () => Promise<unknown>) => doing(),
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  })
  const rest = useMutation({ mutationFn: goOn, onSuccess: (isOpen) => isOpen && go('/') })
  const shares = found.rows.filter(
    (share) => share.state !== 'ended' && !removal.isGone(share.id) && hasWords(words, share.code, share.name, share.title),
  )

  function remove(removed: readonly OwnedShare[]) {
    const ids = removed.map(({ id }) => id)
    const [first] = removed
    const told = removed.length === 1 && first ? t('mine.revoked', { name: first.title ?? first.name }) : t('mine.revokedMany', { count: removed.length })
    removal.remove(ids, told, () => act.mutateAsync(() => each(removed, (share) => deleteShare(share.id))))
    setChosen(null)
  }

  const extend = (extended: readonly OwnedShare[], days: number) =>
    act.mutate(() => each(extended.filter(({ expires_at }) => expires_at !== null), (share) => extendShare(share.id, later(share, days))))

  if (found.isPending) return <Waiting />
  return (
    <>
      <Wrong error={act.error ?? rest.error ?? found.error} />
      {rest.data === false && (
        <p role="alert" className="notice bad">
          {own('shares.busy')}
        </p>
      )}
      {shares.length === 0 && !found.error ? (
        found.isLookingOn ? <Waiting /> : <NoShares isSearch={words !== ''} />
      ) : (
        <>
          <Choice
            shares={shares}
            chosen={chosen}
            isBusy={act.isPending}
            onChoose={setChosen}
            onExtend={(rows) => extend(rows, 7)}
            onDelete={remove}
          />
          <ul className="card list">
            {shares.map((share) => (
              <ShareRow
                key={share.id}
                share={{ ...share, name: share.title ?? share.name }}
                isChosen={chosen?.includes(share.id)}
                onChoose={(isChosen) => setChosen((ids) => [...(ids ?? []).filter((id) => id !== share.id), ...(isChosen ? [share.id] : [])])}
                onExtend={() => extend([share], 1)}
                onEdit={() => setEdited(share)}
                onRest={share.awaited > 0 ? () => rest.mutate(share.id) : undefined}
                onDelete={() => remove([share])}
              />
            ))}
          </ul>
        </>
      )}
      {found.hasNextPage && (
        <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t('mine.more')}
        </Button>
      )}
      {edited && <EditShare share={edited} onClose={() => setEdited(null)} onSaved={() => void queries.invalidateQueries({ queryKey: KEY })} />}
    </>
  )
}

const later = (share: OwnedShare, days: number) => new Date(Math.max(Date.parse(share.expires_at!), serverNow()) + days * DAY)

type ChoiceProps = {
  shares: OwnedShare[]
  chosen: readonly string[] | null
  isBusy: boolean
  onChoose: (ids: readonly string[] | null) => void
  onExtend: (shares: OwnedShare[]) => void
  onDelete: (shares: OwnedShare[]) => void
}

/** Several at once. */
function Choice({ shares, chosen, isBusy, onChoose, onExtend, onDelete }: ChoiceProps) {
  const { t } = useTranslation('own')
  if (chosen === null) {
    if (shares.length < 2) return null
    return (
      <div className="choice">
        <button type="button" className="link small" onClick={() => onChoose([])}>
          {t('shares.select')}
        </button>
      </div>
    )
  }
  const rows = shares.filter(({ id }) => chosen.includes(id))
  const isAll = rows.length === shares.length
  return (
    <div className="choice isOpen">
      <span role="status">{t('shares.selected', { count: rows.length })}</span>
      <button type="button" className="link small" onClick={() => onChoose(isAll ? [] : shares.map(({ id }) => id))}>
        {isAll ? t('shares.none') : t('shares.all')}
      </button>
      <button type="button" className="link small" disabled={rows.length === 0 || isBusy} onClick={() => onExtend(rows)}>
        {t('shares.week')}
      </button>
      <button type="button" className="link small" disabled={rows.length === 0} onClick={() => onDelete(rows)}>
        {t('shares.delete')}
      </button>
      <button type="button" className="link small quiet" onClick={() => onChoose(null)}>
        {t('shares.done')}
      </button>
    </div>
  )
}
