import { Button, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { rename } from '../api/account'
import { session, useSession } from '../api/session'
import { Wrong } from '../parts/Wrong'

export function Name() {
  const { t } = useTranslation('own')
  const current = useSession()
  const [name, setName] = useState(current?.name ?? '')
  const save = useMutation({
    mutationFn: () => rename(name.trim()),
    onSuccess: (account) => {
      const held = session.get()
      if (held) session.set({ ...held, name: account.name, role: account.role })
      setName(account.name)
    },
  })
  return (
    <form
      className="card inner"
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate()
      }}
    >
      <h2>{t('account.name')}</h2>
      <div className="oneLine">
        <TextInput
          aria-label={t('account.name')}
          value={name}
          maxLength={255}
          autoComplete="username"
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" variant="default" loading={save.isPending} disabled={name.trim() === '' || name === current?.name}>
          {t('account.rename')}
        </Button>
      </div>
      {save.isSuccess && <p role="status">✓ {t('account.renamed')}</p>}
      <Wrong error={save.error} />
    </form>
  )
}
