import { Totals } from './Totals'

/** How the place is doing, at one look. */
export function Dashboard() {
  return (
    <dl className="figuresGrid">
      <Totals />
    </dl>
  )
}
