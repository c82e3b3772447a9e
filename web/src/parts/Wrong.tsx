import { useExplain } from '../i18n'

/** Tells of a failure, if there is one. */
export function Wrong({ error }: { error: unknown }) {
  const explain = useExplain()
  if (error === null || error === undefined) return null
  return (
    <p role="alert" className="notice bad">
      {explain(error)}
    </p>
  )
}
