import { useTranslation } from 'react-i18next'
import { Link, useRoute } from 'wouter'
import { useSite } from '../api/site'
import { Mark } from './icons'

export function Header() {
  const { t } = useTranslation()
  const site = useSite()
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
