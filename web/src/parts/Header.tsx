import { useTranslation } from 'react-i18next'
import { Link, useRoute } from 'wouter'
import { useSession } from '../api/session'
import { useSite } from '../api/site'
import { Mark } from './icons'

export function Header() {
  const { t } = useTranslation()
  const site = useSite()
  const isAdministrator = useSession()?.role === 'administrator'
  return (
    <header className="header">
      <Link href="/" className="brand" aria-label={site.name}>
        <Mark />
        <span>{site.name}</span>
      </Link>
      <nav className="nav" aria-label={t('nav.main')}>
        <Place path="/" name={t('nav.send')} />
        <Place path="/rooms" name={t('nav.rooms')} />
        <Place path="/mine" name={t('nav.mine')} />
        {isAdministrator && <Place path="/admin" name={t('nav.admin')} />}
      </nav>
    </header>
  )
}

function Place({ path, name }: { path: string; name: string }) {
  const [isHere] = useRoute(path === '/' ? '/' : `${path}/*?`)
  return (
    <Link href={path} aria-current={isHere ? 'page' : undefined}>
      {name}
    </Link>
  )
}
