import { TaskerError } from "../core/error.ts"
import { type Feed, Follower, type FollowRooms, type GivenFollowOptions } from "./follow.ts"

/** The feeds of this process. */
export interface Feeds {
  follow(options: GivenFollowOptions): Feed
  /** Ends all feeds, and lets no more begin. */
  close(): Promise<void>
}

export function createFeeds(rooms: FollowRooms): Feeds {
  const open = new Set<Follower>()
  let isClosed = false
  return {
    follow(options) {
      if (isClosed) throw new TaskerError("TASKER_CLOSED", "this Tasker is closed")
      const follower = new Follower(rooms, options, (ended) => void open.delete(ended))
      // Its signal may have been aborted before it began.
      if (!follower.hasEnded) open.add(follower)
      return follower
    },
    async close() {
      isClosed = true
      await Promise.all([...open].map((follower) => follower.return()))
    },
  }
}
