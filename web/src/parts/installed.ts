import { scriptUrl } from './trusted'

/** Let the service worker keep the page for times without a network. Browsers have one only with https, or on the same machine. */
export function install() {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
  // Nothing depends on it, and the first page comes first.
  const register = () => void navigator.serviceWorker.register(scriptUrl('/worker.js')).catch(() => undefined)
  if (document.readyState === 'complete') register()
  else addEventListener('load', register, { once: true })
}
