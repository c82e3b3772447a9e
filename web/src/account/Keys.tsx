import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { createKey, listKeys, revokeKey } from '../api/account'
import { moment } from '../format'
import { Once } from '../parts/Once'
import { useRemoval } from '../parts/useRemoval'
import { Wrong } from '../parts/Wrong'

const KEY = ['keys']

/** Keys for programs. Each is shown once, when it is made. */
export function Keys() {
  const { t, i18n } = useTranslation('own')
  const queries = useQueryClient()
  const found = useQuery({ queryKey: KEY, queryFn: listKeys })
  const [name, setName] = useState('')
  const removal = useRemoval<string>()
  const again = () => void queries.invalidateQueries({ queryKey: KEY })
  const create = useMutation({
    mutationFn: () => createKey(name.trim()),
    onSuccess: () => setName(''),
    onSettled: again,
  })
  const remove = (id: string, called: string) =>
    removal.remove([id], t('account.keyRevoked', { name: called }), () => revokeKey(id).finally(again))

  const keys = (found.data ?? []).filter(({ id }) => !removal.isGone(id))
  return (
    <section className="card inner">
      <div>
        <h2>{t('account.keys')}</h2>
        <p className="faint small">{t('account.keysHint')}</p>
      </div>
      {keys.length > 0 && (
        <ul className="rows">
          {keys.map((key) => (
            <li key={key.id}>
              <div>
                <p className="itemName">{key.name}</p>
                <p className="figures">
                  <code>{key.hint}…</code> · {moment(key.created_at, i18n.language)}
                </p>
              </div>
              <button
                type="button"
                className="link small"
                aria-label={t('account.revokeNamed', { name: key.name })}
                onClick={() => remove(key.id, key.name)}
              >
                {t('account.revoke')}
              </button>
            </li>
          ))}
        </ul>
      )}
      {create.data && (
        <div className="notice form" role="status">
          <p>{t('account.keyOnce')}</p>
          <Once text={create.data.api_key} label={t('account.key')}>
            {t('account.copyKey')}
          </Once>
          <Once text={create.data.api_token} label={t('account.secret')}>
            {t('account.copySecret')}
          </Once>
          <button type="button" className="link small" onClick={() => create.reset()}>
            {t('account.haveIt')}
          </button>
        </div>
      )}
      <form
        className="oneLine"
        onSubmit={(event) => {
          event.preventDefault()
          create.mutate()
        }}
      >
        <TextInput
          label={t('account.keyName')}
          placeholder={t('account.keyExample')}
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" variant="default" loading={create.isPending} disabled={name.trim() === ''}>
          {t('account.makeKey')}
        </Button>
      </form>
      <Wrong error={create.error ?? removal.wrong ?? found.error} />
    </section>
  )
}
