import { lazy, Suspense } from 'react'
import { Ill, Load } from './Load'
import { Totals } from './Totals'

// Plots are loaded where there are plots.
const Plots = lazy(() => import('./Plots'))

/** How the place is doing, at one look. */
export function Dashboard() {
  return (
    <>
      <Ill />
      <dl className="figuresGrid">
        <Totals />
        <Load />
      </dl>
      <Suspense>
        <Plots />
      </Suspense>
    </>
  )
}
