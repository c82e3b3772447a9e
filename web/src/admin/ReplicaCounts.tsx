import { useTranslation } from 'react-i18next'

const STATES = ['queued', 'copying', 'verified', 'failed', 'removing'] as const

const unbroken = (text: string) => text.replaceAll(' ', '\u00a0')

/** The numbers of copies by their state. */
export function ReplicaCounts({ counts }: { counts: Record<string, number> }) {
  const { t } = useTranslation('admin')
  const told = STATES.flatMap((state) => (counts[state] ? unbroken(t(`replicas.${state}`, { count: counts[state] })) : []))
  return told.length > 0 ? <span className="small">{told.join(' · ')}</span> : <span className="faint">—</span>
}
