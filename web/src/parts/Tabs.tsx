import { Link, useLocation } from 'wouter'
import './tabs.css'

/** The places of a place. On a narrow screen the row is scrolled sideways. */
export function Tabs({ label, places }: { label: string; places: readonly { path: string; name: string }[] }) {
  const [here] = useLocation()
  return (
    <nav className="tabs" aria-label={label}>
      {places.map(({ path, name }) => (
        <Link key={path} href={path} aria-current={path === here ? 'page' : undefined}>
          {name}
        </Link>
      ))}
    </nav>
  )
}
