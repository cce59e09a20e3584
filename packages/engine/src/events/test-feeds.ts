import type { Feeds } from "./feeds.ts"

/** For tests of events that nobody follows. */
export const noFeeds: Feeds = {
  follow: () => {
    throw new Error("the test has no database")
  },
  close: async () => {},
}
