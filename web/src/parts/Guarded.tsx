import { Button, PasswordInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import { signIn } from '../api/accounts'
import { session, useEnded, useSession } from '../api/session'
import { Dialog } from './Dialog'
import { Wrong } from './Wrong'

/** `to`: the name of the place, for the way back; `otherwise`: what strangers see instead. */
type Props = { children: ReactNode; to: string; otherwise?: ReactNode }

/** A place for accounts. If the session ends meanwhile, what was typed stays until its owner has signed in again. */
export function Guarded({ children, to, otherwise }: Props) {
  const { t } = useTranslation()
  const current = useSession()
  const ended = useEnded()
  if (!current && !ended) {
    return otherwise ?? (
      <section className="card centered">
        <h2>{t('guarded.title')}</h2>
        <Button component={Link} href={`/sign-in?to=${to}`}>
          {t('account.signIn')}
        </Button>
      </section>
    )
  }
  return (
    <>
      {children}
      {ended && !current && <SignInAgain name={ended.name} />}
    </>
  )
}

function SignInAgain({ name }: { name: string }) {
  const { t } = useTranslation()
  const [password, setPassword] = useState('')
  const again = useMutation({ mutationFn: () => signIn(name, password) })
  return (
    <Dialog title={t('guarded.ended')} isOpaque>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          again.mutate()
        }}
      >
        <p className="faint">{t('guarded.endedHint')}</p>
        <input type="text" className="hidden" autoComplete="username" value={name} readOnly tabIndex={-1} aria-hidden="true" />
        <PasswordInput
          autoFocus
          label={t('guarded.passwordOf', { name })}
          value={password}
          autoComplete="current-password"
          onChange={(event) => setPassword(event.target.value)}
        />
        <Wrong error={again.error} />
        <div className="buttons">
          <Button type="submit" loading={again.isPending} disabled={password === ''}>
            {t('account.signIn')}
          </Button>
          <Button variant="default" onClick={() => session.set(null)}>
            {t('account.signOut')}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
