import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import './mine.css'
import { signOut } from '../api/accounts'
import { useSession } from '../api/session'
import { KeptShares } from './KeptShares'
import { OwnedShares } from './OwnedShares'

export default function MinePage() {
  const { t } = useTranslation()
  const session = useSession()
  const [words, setWords] = useState('')
  return (
    <main className="column mine">
      <header className="line">
        <h1>{t('mine.title')}</h1>
        {session ? (
          <span className="faint">
            {session.name} ·{' '}
            <button type="button" className="link" onClick={() => void signOut()}>
              {t('account.signOut')}
            </button>
          </span>
        ) : (
          <Button component={Link} href="/sign-in" variant="default">
            {t('account.signIn')}
          </Button>
        )}
      </header>
      {!session && <p className="faint">{t('mine.signInFor')}</p>}
      <TextInput
        type="search"
        aria-label={t('mine.search')}
        placeholder={t('mine.search')}
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      {session ? <OwnedShares words={words} /> : <KeptShares words={words} />}
    </main>
  )
}
