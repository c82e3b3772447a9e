/** Stands where something will appear. */
export const Waiting = () => (
  <p className="card centered faint" aria-busy="true">
    …
  </p>
)
