import { checkOptions } from "../core/check-options.ts"
import { TaskerError } from "../core/error.ts"
import { delayRule } from "../core/option-rules.ts"
import type { DurableSubscription } from "./durable-subscription.ts"
import { type Feed, Follower, type GivenFollowOptions } from "./follow.ts"
import { createSubscription, type SubscribeOptions, type Subscription } from "./subscribe.ts"
import type { SubscriptionRooms } from "./subscription-turn.ts"

/** Who follows history in this process. */
export interface Feeds {
  follow(options: GivenFollowOptions): Feed
  subscribe(name: string, on: Readonly<Record<string, unknown>>, options: SubscribeOptions): Promise<Subscription>
  /** Ends all of them, and lets no more begin. Handlers of subscriptions have so long to end. */
  close(timeoutMs: number): Promise<void>
}

const STOP_MS = 30_000

export function createFeeds(rooms: SubscriptionRooms): Feeds {
  const followers = new Set<Follower>()
  const subscriptions = new Set<DurableSubscription>()
  let isClosed = false

  function assertOpen(): void {
    if (isClosed) throw new TaskerError("TASKER_CLOSED", "this Tasker is closed")
  }

  return {
    follow(options) {
      assertOpen()
      const follower = new Follower(rooms, options, (ended) => void followers.delete(ended))
      // Its signal may have been aborted before it began.
      if (!follower.hasEnded) followers.add(follower)
      return follower
    },
    async subscribe(name, on, options) {
      assertOpen()
      const subscription = createSubscription(rooms, name, on, options)
      subscriptions.add(subscription)
      try {
        await subscription.start()
      } catch (error) {
        subscriptions.delete(subscription)
        throw error
      }
      return {
        name,
        stop: async (stopOptions = {}) => {
          checkOptions("stop", stopOptions, { timeoutMs: delayRule }, "TASKER_OPTION_INVALID")
          await subscription.stop(stopOptions.timeoutMs ?? STOP_MS)
          subscriptions.delete(subscription)
        },
      }
    },
    async close(timeoutMs) {
      isClosed = true
      await Promise.all([
        ...[...followers].map((follower) => follower.return()),
        ...[...subscriptions].map((subscription) => subscription.stop(timeoutMs)),
      ])
    },
  }
}
