import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Drop, endDrop, listDrops, listReceived } from '../api/drops'
import { Copy } from '../parts/Copy'
import { Expiry } from '../parts/Expiry'
import { useRemoval } from '../parts/useRemoval'
import { usePages } from '../parts/usePages'
import { Waiting } from '../parts/Waiting'
import { Wrong } from '../parts/Wrong'
import { DropForm } from './DropForm'
import { ShareRow } from './ShareRow'

const KEY = ['drops']

/** Codes by which others send to the account. */
export function Drops() {
  const { t } = useTranslation('own')
  const queries = useQueryClient()
  const found = usePages(KEY, listDrops)
  const [edited, setEdited] = useState<Drop | 'new' | null>(null)
  const removal = useRemoval<string>()
  const drops = found.rows.filter(({ id }) => !removal.isGone(id))

  function end(drop: Drop) {
    // One that has got something stays in the list when it is closed.
    const endNow = async () => {
      await endDrop(drop.code)
      await queries.invalidateQueries({ queryKey: KEY })
      removal.putBack([drop.id])
    }
    removal.remove([drop.id], t('drops.ended', { title: drop.title }), endNow)
  }

  if (found.isPending) return <Waiting />
  return (
    <>
      <Wrong error={removal.wrong ?? found.error} />
      {drops.length === 0 ? (
        <section className="card centered">
          <h2>{t('drops.none')}</h2>
          <p className="faint">{t('drops.noneHint')}</p>
          <Button onClick={() => setEdited('new')}>{t('drops.make')}</Button>
        </section>
      ) : (
        <>
          <div className="choice">
            <Button onClick={() => setEdited('new')}>{t('drops.make')}</Button>
          </div>
          <ul className="card list">
            {drops.map((drop) => (
              <DropRow key={drop.id} drop={drop} onEdit={() => setEdited(drop)} onEnd={() => end(drop)} />
            ))}
          </ul>
        </>
      )}
      {found.hasNextPage && (
        <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t('more')}
        </Button>
      )}
      {edited && (
        <DropForm
          drop={edited === 'new' ? null : edited}
          onClose={() => setEdited(null)}
          onSaved={() => void queries.invalidateQueries({ queryKey: KEY })}
        />
      )}
    </>
  )
}

function DropRow({ drop, onEdit, onEnd }: { drop: Drop; onEdit: () => void; onEnd: () => void }) {
  const { t } = useTranslation('own')
  const [isOpen, setOpen] = useState(false)
  return (
    <li className="shareRow">
      <div className="shareFacts">
        <a className="code shareCode" href={drop.url} translate="no">
          {drop.code}
        </a>
        <p className="itemName">{drop.title}</p>
        <p className="figures">
          {t('drops.received', { count: drop.received })}
          {!drop.is_open && ` · ${t('drops.full')}`}
          {drop.is_open && drop.expires_at && (
            <>
              {' '}
              · <Expiry at={drop.expires_at} downloadsLeft={null} />
            </>
          )}
        </p>
      </div>
      <div className="buttons shareActions">
        <Copy text={drop.url}>{t('copyLink')}</Copy>
        {drop.received > 0 && (
          <button type="button" className="link small" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? t('drops.hide') : t('drops.show')}
          </button>
        )}
        <button type="button" className="link small" onClick={onEdit}>
          {t('edit')}
        </button>
        {drop.is_open && (
          <button type="button" className="link small" onClick={onEnd}>
            {t('drops.end')}
          </button>
        )}
      </div>
      {isOpen && <Received code={drop.code} />}
    </li>
  )
}

function Received({ code }: { code: string }) {
  const { t } = useTranslation('own')
  const found = usePages(['received', code], (after) => listReceived(code, after))
  return (
    <div className="received">
      <Wrong error={found.error} />
      <ul>
        {found.rows.map((share) => (
          <ShareRow key={share.id} share={{ ...share, name: [share.title ?? share.name, share.message].filter(Boolean).join(' — ') }} />
        ))}
      </ul>
      {found.hasNextPage && (
        <button type="button" className="link small" onClick={() => void found.fetchNextPage()}>
          {t('more')}
        </button>
      )}
    </div>
  )
}
