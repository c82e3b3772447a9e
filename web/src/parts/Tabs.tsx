import { useEffect, useRef } from 'react'
import { Link, useLocation } from 'wouter'
import './tabs.css'

/** The places of a place. On a narrow screen the row is scrolled sideways, and shows where one is. */
export function Tabs({ label, places }: { label: string; places: readonly { path: string; name: string }[] }) {
  const [here] = useLocation()
  const row = useRef<HTMLElement>(null)
  useEffect(() => {
    const shown = row.current?.querySelector<HTMLElement>('[aria-current]')
    if (row.current && shown) row.current.scrollLeft = shown.offsetLeft - (row.current.clientWidth - shown.offsetWidth) / 2
  }, [here])
  return (
    <nav ref={row} className="tabs" aria-label={label}>
      {places.map(({ path, name }) => (
        <Link key={path} href={path} aria-current={path === here ? 'page' : undefined}>
          {name}
        </Link>
      ))}
    </nav>
  )
}
