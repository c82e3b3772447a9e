import { Button, PasswordInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type ApiKey, changePassword, revokeKey } from '../api/account'
import { Wrong } from '../parts/Wrong'

/** A new password. Keys go on to be accepted, which is said, because whoever knows a key does not need the password. */
export function Password() {
  const { t } = useTranslation('own')
  const queries = useQueryClient()
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [left, setLeft] = useState<ApiKey[] | null>(null)
  const save = useMutation({
    mutationFn: () => changePassword(current, next),
    onSuccess: ({ keys }) => {
      setCurrent('')
      setNext('')
      setLeft(keys)
      void queries.invalidateQueries({ queryKey: ['devices'] })
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
      <h2>{t('account.password')}</h2>
      <PasswordInput
        label={t('account.currentPassword')}
        value={current}
        autoComplete="current-password"
        onChange={(event) => setCurrent(event.target.value)}
      />
      <PasswordInput
        label={t('account.newPassword')}
        description={t('account.passwordHint')}
        value={next}
        autoComplete="new-password"
        onChange={(event) => setNext(event.target.value)}
      />
      <div className="buttons">
        <Button type="submit" variant="default" loading={save.isPending} disabled={current === '' || next === ''}>
          {t('account.changePassword')}
        </Button>
      </div>
      <Wrong error={save.error} />
      {left && <Changed left={left} onEnded={() => setLeft([])} />}
    </form>
  )
}

function Changed({ left, onEnded }: { left: ApiKey[]; onEnded: () => void }) {
  const { t } = useTranslation('own')
  const queries = useQueryClient()
  const end = useMutation({
    mutationFn: () => Promise.all(left.map(({ id }) => revokeKey(id))),
    onSuccess: onEnded,
    onSettled: () => void queries.invalidateQueries({ queryKey: ['keys'] }),
  })
  return (
    <div className="notice" role="status">
      <p>✓ {t('account.passwordChanged')}</p>
      {left.length > 0 && (
        <>
          <p>{t('account.keysLeft', { count: left.length })}</p>
          <ul className="plainList">
            {left.map((key) => (
              <li key={key.id}>
                <bdi>{key.name}</bdi>
              </li>
            ))}
          </ul>
          <button type="button" className="link" disabled={end.isPending} onClick={() => end.mutate()}>
            {t('account.endKeys', { count: left.length })}
          </button>
          <Wrong error={end.error} />
        </>
      )}
    </div>
  )
}
