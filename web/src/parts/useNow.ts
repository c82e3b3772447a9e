import { useEffect, useState } from 'react'

/** The time, read again each second or as often as asked. */
export function useNow(milliseconds = 1000): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), milliseconds)
    return () => clearInterval(timer)
  }, [milliseconds])
  return now
}
