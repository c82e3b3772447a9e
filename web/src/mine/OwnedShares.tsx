import { Button } from '@mantine/core'
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { serverNow } from '../api/clock'
import { deleteShare, extendShare, listShares, type OwnedShare } from '../api/owned'
import { useExplain } from '../i18n'
import { soon } from '../parts/undo'
import { hasWords, NoShares, ShareRow } from './ShareRow'

const DAY = 86_400_000
const KEY = ['shares']

/** The shares of the account, from any device. */
export function OwnedShares({ words }: { words: string }) {
  const { t } = useTranslation()
  const explain = useExplain()
  const queries = useQueryClient()
  const [gone, setGone] = useState<readonly string[]>([])
  const [wrong, setWrong] = useState<string | null>(null)
  const found = useInfiniteQuery({
    queryKey: KEY,
    queryFn: ({ pageParam }) => listShares(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  })
  const shares = (found.data?.pages ?? [])
    .flatMap((page) => page.shares)
    .filter((share) => share.state !== 'ended' && !gone.includes(share.id) && hasWords(words, share.code, share.name, share.title))

  function attempt(doing: Promise<unknown>) {
    setWrong(null)
    doing.catch((error: unknown) => setWrong(explain(error))).finally(() => void queries.invalidateQueries({ queryKey: KEY }))
  }

  function remove(share: OwnedShare) {
    setGone((hidden) => [...hidden, share.id])
    const putBack = () => setGone((hidden) => hidden.filter((id) => id !== share.id))
    soon(t('mine.revoked', { name: share.name }), () => attempt(deleteShare(share.id).catch((error: unknown) => {
      putBack()
      throw error
    })), putBack)
  }

  if (found.isPending) return <p className="card centered faint">…</p>
  return (
    <>
      {(wrong ?? found.error) && (
        <p role="alert" className="notice bad">
          {wrong ?? explain(found.error)}
        </p>
      )}
      {shares.length === 0 && !found.error ? (
        <NoShares isSearch={words !== ''} />
      ) : (
        <ul className="card list">
          {shares.map((share) => (
            <ShareRow
              key={share.id}
              share={{ ...share, name: share.title ?? share.name }}
              onExtend={() => attempt(extendShare(share.id, new Date(Math.max(Date.parse(share.expires_at!), serverNow()) + DAY)))}
              onDelete={() => remove(share)}
            />
          ))}
        </ul>
      )}
      {found.hasNextPage && (
        <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t('mine.more')}
        </Button>
      )}
    </>
  )
}
