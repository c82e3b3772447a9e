/** A code, as large as it fits. */
export function BigCode({ code }: { code: string }) {
  const length = code.length <= 6 ? '' : code.length <= 10 ? ' medium' : ' long'
  return (
    <strong className={`code bigCode${length}`} translate="no" dir="ltr">
      {code}
    </strong>
  )
}
