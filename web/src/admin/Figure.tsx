/** A number that is looked at first, with a line below it. */
export function Figure({ name, value, more }: { name: string; value: string; more?: string }) {
  return (
    <div className="card figure">
      <dt>{name}</dt>
      <dd className="large">{value}</dd>
      {more && <dd className="figures">{more}</dd>}
    </div>
  )
}
