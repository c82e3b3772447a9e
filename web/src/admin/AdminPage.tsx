import { useTranslation } from 'react-i18next'
import './admin.css'
import '../account/account.css'
import { useEnded, useSession } from '../api/session'
import { Guarded } from '../parts/Guarded'
import { Nothing } from '../parts/Nothing'
import { Tabs } from '../parts/Tabs'
import { Accounts } from './Accounts'
import { Audit } from './Audit'
import { Dashboard } from './Dashboard'
import { Fetches } from './Fetches'
import { Files } from './Files'
import { Mirrors } from './Mirrors'
import { Policy } from './Policy'
import { Rooms } from './Rooms'
import { Shares } from './Shares'
import { System } from './System'

const PLACES = {
  dashboard: Dashboard,
  shares: Shares,
  files: Files,
  accounts: Accounts,
  rooms: Rooms,
  mirrors: Mirrors,
  fetches: Fetches,
  policy: Policy,
  audit: Audit,
  system: System,
} as const
type Place = keyof typeof PLACES

/** Running the place from a browser. The API decides who may; others see only that they may not. */
export default function AdminPage({ place }: { place: string }) {
  const { t } = useTranslation('admin')
  const known = useSession()
  const ended = useEnded()
  if (!Object.hasOwn(PLACES, place)) return <Nothing />
  const here = place as Place
  const Shown = PLACES[here]
  const isAdministrator = (known ?? ended)?.role === 'administrator'
  const places = (Object.keys(PLACES) as Place[]).map((each) => ({
    path: each === 'dashboard' ? '/admin' : `/admin/${each}`,
    name: t(`places.${each}`),
  }))
  return (
    <main className="column wide admin">
      <h1>{t(`places.${here}`)}</h1>
      <Guarded to="admin">
        {isAdministrator ? (
          <>
            <Tabs label={t('title')} places={places} />
            <Shown />
          </>
        ) : (
          <section className="card centered">
            <h2>{t('onlyAdministrators')}</h2>
          </section>
        )}
      </Guarded>
    </main>
  )
}
