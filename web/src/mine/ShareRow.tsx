import { useTranslation } from 'react-i18next'
import { size } from '../format'
import { Copy } from '../parts/Copy'
import { Expiry } from '../parts/Expiry'

type Props = {
  share: { code: string; url: string; name: string; size: number; expires_at: string | null; downloads_left: number | null; downloads?: number; awaited?: number }
  /** undefined: nothing is being chosen. */
  isChosen?: boolean | undefined
  onChoose?: (isChosen: boolean) => void
  onExtend?: () => void
  onEdit?: () => void
  /** Send what has not arrived of it. */
  onRest?: (() => void) | undefined
  onDelete?: () => void
}

export function ShareRow({ share, isChosen, onChoose, onExtend, onEdit, onRest, onDelete }: Props) {
  const { t, i18n } = useTranslation()
  const { t: own } = useTranslation('own')
  return (
    <li className="shareRow">
      <div className="shareFacts">
        {isChosen !== undefined && (
          <input
            type="checkbox"
            className="check"
            checked={isChosen}
            aria-label={`${share.code} ${share.name}`}
            onChange={(event) => onChoose?.(event.target.checked)}
          />
        )}
        <a className="code shareCode" href={share.url} translate="no">
          {share.code}
        </a>
        <p className="itemName">{share.name}</p>
        <p className="figures">
          {size(share.size, i18n.language)}
          {share.downloads !== undefined && ` · ${t('mine.downloads', { count: share.downloads })}`} ·{' '}
          <Expiry at={share.expires_at} downloadsLeft={share.downloads_left} />
        </p>
        {!!share.awaited && <p className="small awaited">{own('shares.awaited', { count: share.awaited })}</p>}
      </div>
      {isChosen === undefined && (
        <div className="buttons shareActions">
          <Copy text={share.url}>{t('sending.copyLink')}</Copy>
          {onRest && (
            <button type="button" className="link small" onClick={onRest}>
              {own('shares.rest')}
            </button>
          )}
          {onExtend && share.expires_at && (
            <button type="button" className="link small" onClick={onExtend}>
              {t('mine.extend')}
            </button>
          )}
          {onEdit && (
            <button type="button" className="link small" onClick={onEdit}>
              {t('mine.edit')}
            </button>
          )}
          {onDelete && (
            <button type="button" className="link small" onClick={onDelete}>
              {t('mine.revoke')}
            </button>
          )}
        </div>
      )}
    </li>
  )
}

/** What appears where nothing is, and how to start. */
export function NoShares({ isSearch }: { isSearch: boolean }) {
  const { t } = useTranslation()
  if (isSearch) return <p className="card centered faint">{t('mine.nothing')}</p>
  return (
    <section className="card centered">
      <h2>{t('mine.none')}</h2>
      <p className="faint">{t('mine.noneHint')}</p>
      <a href="/" className="link">
        {t('mine.send')}
      </a>
    </section>
  )
}

export const hasWords = (words: string, ...texts: (string | null)[]) =>
  words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => texts.some((text) => text?.toLowerCase().includes(word)))
