import { Button } from '@mantine/core'
import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'wouter'
import '../account/account.css'
import './mine.css'
import { signOut } from '../api/accounts'
import { useEnded, useSession } from '../api/session'
import { Guarded } from '../parts/Guarded'
import { Tabs } from '../parts/Tabs'
import { Drops } from './Drops'
import { Fetches } from './Fetches'
import { Files } from './Files'
import { Hooks } from './Hooks'
import { Shares } from './Shares'

const SettingsPage = lazy(() => import('../account/SettingsPage').then(({ SettingsPage }) => ({ default: SettingsPage })))
const PLACES = { files: Files, drops: Drops, fetches: Fetches, hooks: Hooks, account: SettingsPage } as const

/** What belongs to the account; for a guest, what this browser has sent. */
export default function MinePage({ place }: { place: string }) {
  const { t } = useTranslation()
  const { t: own } = useTranslation('own')
  const session = useSession()
  const ended = useEnded()
  const isOwner = session !== null || ended !== null
  const Place = Object.hasOwn(PLACES, place) ? PLACES[place as keyof typeof PLACES] : null
  return (
    <main className="column mine">
      <header className="line">
        <h1>{t('mine.title')}</h1>
        {session ? (
          <span className="faint">
            <bdi>{session.name}</bdi> ·{' '}
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
      {isOwner && (
        <Tabs
          label={t('mine.title')}
          places={[
            { path: '/mine', name: own('places.shares') },
            { path: '/mine/files', name: own('places.files') },
            { path: '/mine/drops', name: own('places.drops') },
            { path: '/mine/fetches', name: own('places.fetches') },
            { path: '/mine/hooks', name: own('places.hooks') },
            { path: '/mine/account', name: own('places.account') },
          ]}
        />
      )}
      {Place ? (
        <Guarded to="mine">
          <Suspense>
            <Place />
          </Suspense>
        </Guarded>
      ) : (
        <Shares isOwner={isOwner} />
      )}
    </main>
  )
}
