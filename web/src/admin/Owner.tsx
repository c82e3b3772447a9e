import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { readAccount } from '../api/admin'

/** The name of an account, by its id; nobody's where there is none. */
export function Owner({ id }: { id: string | null }) {
  const { t } = useTranslation('admin')
  const { data, isError } = useQuery({
    queryKey: ['admin', 'name', id],
    queryFn: () => readAccount(id!),
    enabled: id !== null,
    staleTime: 600_000,
    retry: false,
  })
  if (id === null) return <span className="faint">{t('list.guest')}</span>
  if (isError) return <span className="faint">{t('list.gone')}</span>
  return (
    <bdi className="owner" title={data?.name}>
      {data?.name ?? '…'}
    </bdi>
  )
}
