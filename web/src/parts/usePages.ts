import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect } from 'react'

type Page<Row> = { rows: Row[]; next: string | null; total?: number | null }
/** More than anybody looks through; the rest is found by narrower words. */
const PAGES_OF_A_SEARCH = 100

/** A list that comes in pages. With `isWhole`, all of them are loaded, one after another, because something is looked for. */
export function usePages<Row>(queryKey: readonly unknown[], read: (after: string | null) => Promise<Page<Row>>, isWhole = false) {
  const found = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => read(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page: Page<Row>) => page.next,
  })
  const pages = found.data?.pages ?? []
  const goesOn = isWhole && found.hasNextPage && !found.isFetchingNextPage && !found.isError && pages.length < PAGES_OF_A_SEARCH
  useEffect(() => {
    if (goesOn) void found.fetchNextPage()
  }, [goesOn, found.fetchNextPage])
  return { ...found, rows: pages.flatMap((page) => page.rows), total: pages[0]?.total ?? null, isLookingOn: goesOn || found.isFetchingNextPage }
}
