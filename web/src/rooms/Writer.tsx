import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { useSession } from '../api/session'
import { Name, type Named } from '../parts/Name'

/** The name of somebody, which leads to direct messages with them. One's own leads nowhere, nor does that of nobody. */
export function Writer({ id, of: { name, mixed_scripts } }: { id: string; of: Named }) {
  const { t } = useTranslation()
  const own = useSession()?.id
  const named = { name, ...(mixed_scripts && { mixed_scripts }) } satisfies Named
  if (name === null || id === own) return <Name of={named} />
  return (
    <Link className="writer" href={`/rooms/direct/${id}`} state={named} title={t('direct.write')}>
      <Name of={named} />
    </Link>
  )
}
