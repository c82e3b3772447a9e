import { ProxyCheck } from './ProxyCheck'

/** The system, and what stands in front of it. */
export const System = () => <ProxyCheck />
