import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { dropQuota, readUsage, setQuota, type Usage } from '../api/admin'
import { size } from '../format'
import { sizeIn, sizeText } from '../parts/sizes'
import { Wrong } from '../parts/Wrong'

/** How much an account has, and how much it may have. */
export function Quota({ account }: { account: string }) {
  const key = ['admin', 'usage', account]
  const found = useQuery({ queryKey: key, queryFn: () => readUsage(account) })
  const [usage] = found.data?.usage ?? []
  if (!usage) return <Wrong error={found.error} />
  return <Limits key={JSON.stringify(usage.limits)} account={account} usage={usage} queryKey={key} />
}

function Limits({ account, usage, queryKey }: { account: string; usage: Usage; queryKey: string[] }) {
  const { t, i18n } = useTranslation('admin')
  const queries = useQueryClient()
  const [bytes, setBytes] = useState(sizeText(usage.limits.bytes))
  const [files, setFiles] = useState(String(usage.limits.files ?? ''))
  const again = () => queries.invalidateQueries({ queryKey })
  const save = useMutation({ mutationFn: () => setQuota(account, { bytes: sizeIn(bytes), files: Number(files) || null }), onSuccess: again })
  const drop = useMutation({ mutationFn: () => dropQuota(account), onSuccess: again })
  const isSize = bytes.trim() === '' || sizeIn(bytes) !== null
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate()
      }}
    >
      <p>
        {t('quota.used', { size: size(usage.bytes + usage.reserved_bytes, i18n.language), count: usage.files })}{' '}
        <span className="faint">{usage.own_limits ? t('quota.own') : t('quota.default')}</span>
      </p>
      <div className="pair">
        <TextInput label={t('quota.bytes')} placeholder={t('quota.unlimited')} value={bytes} error={!isSize && t('notASize')} onChange={(event) => setBytes(event.target.value)} />
        <TextInput type="number" min={1} label={t('quota.files')} placeholder={t('quota.unlimited')} value={files} onChange={(event) => setFiles(event.target.value)} />
      </div>
      <Wrong error={save.error ?? drop.error} />
      <div className="buttons">
        <Button type="submit" variant="default" loading={save.isPending} disabled={!isSize}>
          {t('quota.save')}
        </Button>
        {usage.own_limits && (
          <button type="button" className="link small" disabled={drop.isPending} onClick={() => drop.mutate()}>
            {t('quota.drop')}
          </button>
        )}
      </div>
    </form>
  )
}
