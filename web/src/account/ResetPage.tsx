import { Button, PasswordInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation } from 'wouter'
import { resetPassword } from '../api/account'
import { session } from '../api/session'
import { Wrong } from '../parts/Wrong'

/** A new password, by the link that an administrator gave. */
export default function ResetPage() {
  const { t } = useTranslation()
  const [, go] = useLocation()
  // It stands after the #, so that no server's log has it, and it does not stay in the address.
  const [token, setToken] = useState(() => location.hash.slice(1))
  const [password, setPassword] = useState('')
  useEffect(() => {
    const take = () => {
      if (location.hash === '') return
      setToken(location.hash.slice(1))
      history.replaceState(history.state, '', location.pathname)
    }
    take()
    addEventListener('hashchange', take)
    return () => removeEventListener('hashchange', take)
  }, [])
  const save = useMutation({
    mutationFn: () => resetPassword(token, password),
    onSuccess: () => {
      session.set(null)
      go('/sign-in?reset=1', { replace: true })
    },
  })
  if (token === '') {
    return (
      <main className="column narrow">
        <section className="card centered">
          <h1>{t('account.reset')}</h1>
          <p className="faint">{t('account.linkBroken')}</p>
          <Link href="/sign-in" className="link">
            {t('account.signIn')}
          </Link>
        </section>
      </main>
    )
  }
  return (
    <main className="column narrow">
      <form
        className="card inner form"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate()
        }}
      >
        <div>
          <h1>{t('account.reset')}</h1>
          <p className="faint">{t('account.resetHint')}</p>
        </div>
        <PasswordInput
          autoFocus
          label={t('account.newPassword')}
          description={t('account.passwordHint')}
          value={password}
          autoComplete="new-password"
          onChange={(event) => setPassword(event.target.value)}
        />
        <Wrong error={save.error} />
        <Button type="submit" fullWidth loading={save.isPending} disabled={password === ''}>
          {t('account.resetSave')}
        </Button>
      </form>
    </main>
  )
}
