import type { Database } from "../core/database.ts"
import { TaskerError } from "../core/error.ts"
import { encodePosition, decodePosition } from "../core/events/feed-position.ts"
import { deleteSubscription } from "../store/subscriptions/delete-subscription.ts"
import { listSkippedEvents, type SkippedEvent } from "../store/subscriptions/list-skipped-events.ts"
import { listSubscriptions, type SubscriptionRow } from "../store/subscriptions/list-subscriptions.ts"
import { rewindSubscription } from "../store/subscriptions/rewind-subscription.ts"
import type { EventFailure } from "../store/subscriptions/subscription.ts"
import { feedEnd } from "../store/feed-end.ts"
import { checkOptions } from "../core/check-options.ts"
import { integerRule } from "../core/option-rules.ts"
import { assertFeedStart, type FeedStart, findFeedStart } from "./feed-reader.ts"

/** A durable subscription, as the database knows it. */
export interface SubscriptionStatus {
  readonly name: string
  /** Behind the last event that it has handled, as far as that is recorded. `follow` takes it. */
  readonly cursor: string
  /** How many rows of history lie behind it, events of others included. */
  readonly pendingRows: number
  /** The process that handles its events, as `host:pid`; `null` when none does. */
  readonly holder: string | null
  readonly leaseUntil: Date | null
  readonly createdAt: Date
  /** When the cursor moved last. */
  readonly movedAt: Date
  /** Why the next event could not be handled; `null` when it was not tried, or there is none. */
  readonly failure: Omit<EventFailure, "row"> | null
  /** When that one is tried again. */
  readonly retryAt: Date | null
  /** How many events it has set aside. */
  readonly skippedCount: number
}

/** The durable subscriptions of the system, whichever process has made them. */
export interface Subscriptions {
  /** All of them, by their names. */
  list(): Promise<readonly SubscriptionStatus[]>
  /** @throws TaskerError `TASKER_SUBSCRIPTION_NOT_FOUND` */
  get(name: string): Promise<SubscriptionStatus>
  /**
   * Sets one to another place: behind the event of a cursor, to the beginning of history, or to now. What it has handled
   * since then it handles again, what lies between it leaves out. It may be at work meanwhile.
   *
   * @throws TaskerError `TASKER_SUBSCRIPTION_NOT_FOUND`, `TASKER_CURSOR_INVALID`
   */
  rewind(name: string, after: FeedStart): Promise<void>
  /**
   * Deletes one that nobody holds, with the events that it has set aside.
   *
   * @throws TaskerError `TASKER_SUBSCRIPTION_NOT_FOUND`, `TASKER_SUBSCRIPTION_HELD`
   */
  delete(name: string): Promise<void>
  /** The events that one has set aside, in their order; at most `limit`, from 1 to 10,000. Default: 100. */
  listSkipped(name: string, options?: { readonly limit?: number | undefined }): Promise<readonly SkippedEvent[]>
}

export function createSubscriptions(database: Database): Subscriptions {
  async function get(name: string): Promise<SubscriptionStatus> {
    const [row] = await listSubscriptions(database, name)
    return row === undefined ? refuseUnknown(name) : statusOf(row, await endOfHistory())
  }

  const endOfHistory = async (): Promise<number> => (await feedEnd(database)).position.head

  return {
    async list() {
      const [rows, end] = await Promise.all([listSubscriptions(database), endOfHistory()])
      return rows.map((row) => statusOf(row, end))
    },
    get,
    async rewind(name, after) {
      assertFeedStart("after", after)
      const cursor = encodePosition(await findFeedStart(database, after))
      if (!(await rewindSubscription(database, name, cursor))) refuseUnknown(name)
    },
    async delete(name) {
      if (await deleteSubscription(database, name)) return
      const { holder } = await get(name)
      throw new TaskerError("TASKER_SUBSCRIPTION_HELD", `subscription "${name}" is held by ${holder ?? "a process"}`, {
        hint: "stop the processes that subscribe under its name",
        details: { subscription: name, holder },
      })
    },
    async listSkipped(name, options = {}) {
      checkOptions("subscriptions.listSkipped", options, { limit: integerRule(1, 10_000) }, "TASKER_OPTION_INVALID")
      return await listSkippedEvents(database, name, options.limit ?? 100)
    },
  }
}

function statusOf({ isHeld, ...row }: SubscriptionRow, end: number): SubscriptionStatus {
  return {
    ...row,
    holder: isHeld ? row.holder : null,
    leaseUntil: isHeld ? row.leaseUntil : null,
    pendingRows: Math.max(0, end - (decodePosition(row.cursor)?.head ?? 0)),
  }
}

function refuseUnknown(name: string): never {
  throw new TaskerError("TASKER_SUBSCRIPTION_NOT_FOUND", `there is no durable subscription "${name}"`, {
    details: { subscription: name },
  })
}
