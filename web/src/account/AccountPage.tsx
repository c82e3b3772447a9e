import { Button, PasswordInput, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useLocation, useSearchParams } from 'wouter'
import { register, signIn } from '../api/accounts'
import { useSite } from '../api/site'
import { useExplain } from '../i18n'

/** Where a visitor may be sent on; an address in a link may name nothing else. */
const PLACES = { mine: '/mine', rooms: '/rooms', send: '/', admin: '/admin' } as const

export default function AccountPage({ isNew }: { isNew: boolean }) {
  const { t } = useTranslation()
  const site = useSite()
  const explain = useExplain()
  const [, go] = useLocation()
  const [search] = useSearchParams()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [wrong, setWrong] = useState<string | null>(null)
  const [isBusy, setBusy] = useState(false)
  // It stands after the #, so that no server's log has it.
  const [invitation] = useState(() => (isNew && location.hash.slice(1)) || null)
  const wanted = search.get('to') ?? 'mine'
  const to = Object.hasOwn(PLACES, wanted) ? PLACES[wanted as keyof typeof PLACES] : PLACES.mine

  async function submit(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    setWrong(null)
    try {
      await (isNew ? register(name.trim(), password, invitation) : signIn(name.trim(), password))
      go(to, { replace: true })
    } catch (error) {
      setWrong(explain(error))
      setBusy(false)
    }
  }

  return (
    <main className="column narrow">
      <form className="card inner form" onSubmit={(event) => void submit(event)}>
        <div>
          <h1>{isNew ? t('account.register') : t('account.signIn')}</h1>
          <p className="faint">{invitation ? t('account.invited') : t('account.intro')}</p>
          {search.has('reset') && <p className="notice">{t('account.resetDone')}</p>}
        </div>
        <TextInput
          label={t('account.name')}
          value={name}
          required
          withAsterisk={false}
          autoFocus
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          onChange={(event) => setName(event.target.value)}
        />
        <PasswordInput
          label={t('account.password')}
          value={password}
          required
          withAsterisk={false}
          autoComplete={isNew ? 'new-password' : 'current-password'}
          onChange={(event) => setPassword(event.target.value)}
        />
        {wrong && (
          <p role="alert" className="notice bad">
            {wrong}
          </p>
        )}
        <Button type="submit" loading={isBusy} fullWidth>
          {isNew ? t('account.register') : t('account.signIn')}
        </Button>
        <p className="faint small otherWay">
          {isNew ? t('account.known') : site.registration ? t('account.newHere') : t('account.closed')}{' '}
          {(isNew || site.registration) && (
            <Link href={`${isNew ? '/sign-in' : '/register'}${location.search}`} className="link inline">
              {isNew ? t('account.signIn') : t('account.register')}
            </Link>
          )}
        </p>
      </form>
    </main>
  )
}
