import { useQuery } from '@tanstack/react-query'
import { call } from './call'
import type { SiteView } from './types'

export type Site = SiteView
export type ExpireStyle = Site['expire_styles'][number]

/** Holds until the server has answered. */
export const USUAL: Site = {
  name: 'Waystation',
  description: '',
  notices: [],
  accent: '#0b6e69',
  version: '',
  guest_upload: true,
  registration: true,
  upload_size: Number.MAX_SAFE_INTEGER,
  expire_styles: ['minute', 'hour', 'day', 'count', 'forever'],
  longest_life_seconds: null,
  item_limit: 1000,
}

export function useSite(): Site {
  const { data } = useQuery({ queryKey: ['site'], queryFn: () => call<Partial<Site>>('GET', '/v1/site'), staleTime: 300_000 })
  return { ...USUAL, ...data }
}
