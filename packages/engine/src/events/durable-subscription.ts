import { encodePosition } from "../core/events/feed-position.ts"
import { type ClaimedSubscription, claimSubscription } from "../store/subscriptions/claim-subscription.ts"
import { createSubscription } from "../store/subscriptions/create-subscription.ts"
import { listSubscriptions } from "../store/subscriptions/list-subscriptions.ts"
import { pause, unlessAborted } from "./abortable.ts"
import { FeedAlarm } from "./feed-alarm.ts"
import { type FeedStart, findFeedStart } from "./feed-reader.ts"
import { HeldLease } from "./held-lease.ts"
import { keepTrying, type TryingOptions } from "./keep-trying.ts"
import { type SubscriptionRooms, type SubscriptionSettings, SubscriptionTurn } from "./subscription-turn.ts"

/** How long until one who waits for its turn looks again, in milliseconds. */
const STANDBY_MS = 2_000

/** After a failure that is none of the database's being away, and must not end the subscription for good. */
const ODD_PAUSE_MS = 5_000

/** How long the database may take to let the next process have a subscription. */
const RELEASE_MS = 5_000

/**
 * Handles every event of the system, in order, in one process at a time of all that
 * have subscribed under its name.
 *
 * States: it waits for its turn; has its turn, which ends when the lease runs out
 * or somebody sets the subscription back; and waits again. `stop()` ends it, after
 * the event that is under way.
 */
export class DurableSubscription {
  readonly #rooms: SubscriptionRooms
  readonly #settings: SubscriptionSettings
  readonly #start: FeedStart
  readonly #holder: string
  readonly #stopping = new AbortController()
  /** Nobody waits for the handler that runs any more. */
  readonly #leaving = new AbortController()
  #running: Promise<void> = Promise.resolve()

  /**
   * @param start - where it begins if there is no subscription of its name
   * @param holder - this process, for people to read
   */
  constructor(rooms: SubscriptionRooms, settings: SubscriptionSettings, start: FeedStart, holder: string) {
    this.#rooms = rooms
    this.#settings = settings
    this.#start = start
    this.#holder = holder
  }

  /** Settles once the database knows the subscription: from then on, nothing is missed. */
  async start(): Promise<void> {
    await keepTrying(() => this.#create(), this.#trying(this.#stopping.signal))
    this.#running = this.#run()
  }

  /** Waits for the handler that runs, for so long; records what was handled, and lets the next process have its turn. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort()
    const timer = setTimeout(() => this.#leaving.abort(), timeoutMs)
    await this.#running
    clearTimeout(timer)
  }

  async #create(): Promise<void> {
    const { database } = this.#rooms
    const { name } = this.#settings
    if ((await listSubscriptions(database, name)).length > 0) return
    await createSubscription(database, name, encodePosition(await findFeedStart(database, this.#start)))
  }

  async #run(): Promise<void> {
    const alarm = new FeedAlarm(this.#rooms)
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#next(alarm)
      } catch (error) {
        const fields = { subscription: this.#settings.name, error: String(error) }
        this.#rooms.logger.error(fields, "a subscription cannot go on, and tries again")
        await pause(ODD_PAUSE_MS, signal)
      }
    }
    alarm.stop()
  }

  /** Has its turn, or waits for it. */
  async #next(alarm: FeedAlarm): Promise<void> {
    const { signal } = this.#stopping
    const { database } = this.#rooms
    const { name, leaseMs } = this.#settings
    let claimedAt = 0
    const claim = async (): Promise<ClaimedSubscription | "missing"> => {
      claimedAt = performance.now()
      return (await claimSubscription(database, { name, holder: this.#holder, leaseMs })) ?? "missing"
    }
    const claimed = await keepTrying(claim, this.#trying(signal))
    if (claimed === undefined) return
    if (claimed === "missing") return await this.#create()
    if (claimed.generation === null) return await pause(Math.min(claimed.heldMs ?? 0, STANDBY_MS), signal)
    const held = { name, generation: claimed.generation }
    const lease = new HeldLease({ ...this.#trying(signal), database, held, leaseMs, claimedAt })
    await this.#takeTurn(claimed, lease, alarm)
  }

  async #takeTurn(claimed: ClaimedSubscription, lease: HeldLease, alarm: FeedAlarm): Promise<void> {
    const { database, events } = this.#rooms
    const facts = { subscription: this.#settings.name }
    const abandon = AbortSignal.any([lease.signal, this.#leaving.signal])
    const halt = AbortSignal.any([abandon, this.#stopping.signal])
    let turn: SubscriptionTurn | undefined
    events.publish("subscription.claimed", facts)
    try {
      const position = await keepTrying(() => findFeedStart(database, claimed.cursor ?? ""), this.#trying(halt))
      if (position === undefined) return
      const start = { lease, position, failure: claimed.failure, retryMs: claimed.retryMs ?? 0 }
      turn = new SubscriptionTurn(this.#rooms, this.#settings, start, { halt, abandon })
      await turn.run(alarm)
    } finally {
      // If the database does not hear of it, the lease runs out.
      const released = lease.release(turn?.unrecorded).catch(() => {})
      await unlessAborted(released, AbortSignal.timeout(RELEASE_MS))
      events.publish("subscription.released", facts)
    }
  }

  #trying(signal: AbortSignal): TryingOptions {
    return { signal, logger: this.#rooms.logger, who: { subscription: this.#settings.name } }
  }
}
