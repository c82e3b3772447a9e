import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { lazy, Suspense, useEffect } from 'react'
import { Route, Switch, useLocation } from 'wouter'
import { renew } from './api/accounts'
import { mayAskAgain, type Problem } from './api/problem'
import { session } from './api/session'
import { useSite } from './api/site'
import { withWords } from './i18n'
import { Broken } from './parts/Broken'
import { Fence } from './parts/Fence'
import { Footer } from './parts/Footer'
import { Header } from './parts/Header'
import { Nothing } from './parts/Nothing'
import { Toast } from './parts/Toast'
import { leaveOf } from './send/current'
import { SendPage } from './send/SendPage'
import { theme } from './theme/theme'
import { useAccent } from './theme/useAccent'

const AccountPage = lazy(() => import('./account/AccountPage'))
const MinePage = lazy(() => withWords('own', import('./mine/MinePage')))
const ResetPage = lazy(() => import('./account/ResetPage'))
const AdminPage = lazy(() => withWords('admin', import('./admin/AdminPage')))
const DropPage = lazy(() => withWords('own', import('./drop/DropPage')))
const RoomsPage = lazy(() => import('./rooms/RoomsPage'))
const ReceivePage = lazy(() => import('./receive/ReceivePage'))

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: mayAskAgain,
      retryDelay: (failures, error) => ((error as Problem).retryAfter ?? Math.min(2 ** failures, 10)) * 1000,
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
})

// Nothing of one account is shown to the next.
let known = session.get()
session.subscribe(() => {
  const before = known
  known = session.get() ?? session.getEnded()
  if (before?.id !== known?.id) {
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'site' })
    if (before) leaveOf(before.id)
  } else if (session.get()) void queries.invalidateQueries({ predicate: ({ state }) => state.status === 'error' })
})

export function App() {
  return (
    // Mantine would add style rules to the document, which the policy of the page forbids; they are in style sheets.
    <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={queries}>
        <Page />
      </QueryClientProvider>
    </MantineProvider>
  )
}

function Page() {
  useAccent(useSite().accent)
  const [place] = useLocation()
  useEffect(() => void renew(), [])
  return (
    <div className="page">
      <Header />
      <Fence place={place} otherwise={<Broken />}>
        <Suspense fallback={<main className="column" />}>
          <Switch>
            <Route path="/" component={SendPage} />
            <Route path="/c/:code">{({ code }) => <ReceivePage code={code} key={code} />}</Route>
            <Route path="/sign-in">
              <AccountPage isNew={false} />
            </Route>
            <Route path="/register">
              <AccountPage isNew />
            </Route>
            <Route path="/rooms">
              <RoomsPage open={null} />
            </Route>
            <Route path="/rooms/direct/:account?">{({ account }) => <RoomsPage open={{ direct: account ?? null }} />}</Route>
            <Route path="/rooms/:id">{({ id }) => <RoomsPage open={{ room: Number(id) }} />}</Route>
            <Route path="/reset" component={ResetPage} />
            <Route path="/d/:code">{({ code }) => <DropPage code={code} key={code} />}</Route>
            <Route path="/admin/:place?">{({ place }) => <AdminPage place={place ?? 'dashboard'} />}</Route>
            <Route path="/mine/:place?">{({ place }) => <MinePage place={place ?? 'shares'} />}</Route>
            <Route component={Nothing} />
          </Switch>
        </Suspense>
      </Fence>
      <Footer />
      <Toast />
    </div>
  )
}
