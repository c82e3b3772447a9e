import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { serverNow } from '../api/clock'
import { Problem } from '../api/problem'
import { endShare } from '../api/shares'
import { useExplain } from '../i18n'
import { soon } from '../parts/undo'
import { forget, keep, type Kept, kept } from '../send/kept'
import { hasWords, NoShares, ShareRow } from './ShareRow'

/** What was sent from this browser without an account; the browser has the keys to it. */
export function KeptShares({ words }: { words: string }) {
  const { t } = useTranslation()
  const explain = useExplain()
  const [shares, setShares] = useState(kept)
  const [wrong, setWrong] = useState<string | null>(null)
  const shown = shares.filter(
    (share) => !share.account && (share.expires_at === null || Date.parse(share.expires_at) > serverNow()) && hasWords(words, share.code, share.name),
  )

  function remove(share: Kept) {
    setShares((all) => all.filter(({ id }) => id !== share.id))
    const putBack = () => setShares(kept())
    const end = () => {
      // The page may be closed before the answer comes.
      forget(share.id)
      return endShare(share.id, share.key).catch((error: unknown) => {
        if (error instanceof Problem && (error.status === 404 || error.status === 410)) return
        keep(share)
        setWrong(explain(error))
        putBack()
      })
    }
    soon(t('mine.revoked', { name: share.name }), () => void end(), putBack)
  }

  return (
    <>
      {wrong && (
        <p role="alert" className="notice bad">
          {wrong}
        </p>
      )}
      {shown.length === 0 ? (
        <NoShares isSearch={words !== ''} />
      ) : (
        <ul className="card list">
          {shown.map((share) => (
            <ShareRow key={share.id} share={{ ...share, downloads_left: null }} onDelete={() => remove(share)} />
          ))}
        </ul>
      )}
    </>
  )
}
