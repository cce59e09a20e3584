import type { Feeds } from "./feeds.ts"

/** For tests of events that nobody follows. */
export const noFeeds: Feeds = { follow: refuse, subscribe: refuse, close: async () => {} }

function refuse(): never {
  throw new Error("the test has no database")
}
