import { useTranslation } from 'react-i18next'
import { listRevisions } from '../api/admin'
import type { RevisionView } from '../api/types'
import { usePages } from '../parts/usePages'
import { Wrong } from '../parts/Wrong'
import { Moment } from './Moment'
import { Owner } from './Owner'
import { shownValue, useFieldWords } from './PolicyField'
import { isSame } from './policyFields'

/** Every version of the policy, with what each one changed. */
export function Revisions() {
  const { t } = useTranslation('admin')
  const found = usePages<RevisionView>(['admin', 'revisions'], listRevisions)
  const rows = found.rows
  if (rows.length === 0) return <Wrong error={found.error} />
  return (
    <details className="card inner revisions">
      <summary>{t('policy.versions')}</summary>
      <ol className="rows">
        {rows.map((revision, at) => (
          <li key={revision.version}>
            <div>
              <p>
                <strong>{revision.version}</strong> · <Moment at={revision.changed_at} /> {revision.changed_by && <Owner id={revision.changed_by} />}
              </p>
              <Changes now={revision.changes} before={rows[at + 1]?.changes ?? {}} isFirst={rows[at + 1] === undefined && found.hasNextPage} />
            </div>
          </li>
        ))}
      </ol>
      {found.hasNextPage && (
        <button type="button" className="link small" onClick={() => void found.fetchNextPage()}>
          {t('list.more')}
        </button>
      )}
    </details>
  )
}

type ChangesProps = { now: Record<string, unknown>; before: Record<string, unknown>; isFirst: boolean }

function Changes({ now, before, isFirst }: ChangesProps) {
  if (isFirst) return null
  const names = [...new Set([...Object.keys(now), ...Object.keys(before)])].filter((name) => !isSame(now[name], before[name]))
  return (
    <ul className="small faint">
      {names.map((name) => (
        <Change key={name} name={name} value={now[name]} isDefault={!(name in now)} />
      ))}
    </ul>
  )
}

function Change({ name, value, isDefault }: { name: string; value: unknown; isDefault: boolean }) {
  const { t } = useTranslation('admin')
  const { label } = useFieldWords(name)
  return (
    <li className="anywhere">
      {label}: <bdi>{isDefault ? t('policy.default') : shownValue(value, t('quota.unlimited'))}</bdi>
    </li>
  )
}
