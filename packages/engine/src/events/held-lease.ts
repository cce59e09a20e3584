import type { Database } from "../core/database.ts"
import { moveSubscription, type SubscriptionMove } from "../store/subscriptions/move-subscription.ts"
import { type EventSkip, skipEvent } from "../store/subscriptions/skip-event.ts"
import type { HeldSubscription } from "../store/subscriptions/subscription.ts"
import { keepTrying, type TryingOptions } from "./keep-trying.ts"

export interface LeaseOptions extends Omit<TryingOptions, "signal"> {
  readonly database: Database
  readonly held: HeldSubscription
  readonly leaseMs: number
  /** When the subscription was claimed, by this process's monotonic clock: before the call, so that it ends here first. */
  readonly claimedAt: number
}

/**
 * A subscription in the hands of this process. It is renewed while it is open, and
 * counts as lost as soon as somebody else may have taken it.
 */
export class HeldLease {
  readonly #options: LeaseOptions
  readonly #lost = new AbortController()
  readonly #renewal: NodeJS.Timeout
  #end: NodeJS.Timeout | undefined

  constructor(options: LeaseOptions) {
    this.#options = options
    this.#renewal = setInterval(() => void this.#renew(), options.leaseMs / 3).unref()
    this.#extend(options.claimedAt)
  }

  /** Aborted once it is lost, or was given up. */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  /** Says how far the subscription has come. @returns false when it is lost */
  async move(move: Omit<SubscriptionMove, "leaseMs">): Promise<boolean> {
    const { database, held, leaseMs } = this.#options
    return await this.#change(() => moveSubscription(database, held, { ...move, leaseMs }))
  }

  /** Sets an event aside. @returns false when the subscription is lost */
  async skip(skip: Omit<EventSkip, "leaseMs">): Promise<boolean> {
    const { database, held, leaseMs } = this.#options
    return await this.#change(() => skipEvent(database, held, { ...skip, leaseMs }))
  }

  /** Waits for the database, as long as the lease runs. */
  async #change(make: () => Promise<boolean>): Promise<boolean> {
    let askedAt = 0
    const ask = async (): Promise<boolean> => {
      askedAt = performance.now()
      return await make()
    }
    const isHeld = await keepTrying(ask, { ...this.#options, signal: this.signal })
    if (isHeld === true) this.#extend(askedAt)
    else this.lose()
    return isHeld === true
  }

  /** Gives it up, so that another process can take it at once. */
  async release(cursor: string | undefined): Promise<void> {
    if (this.signal.aborted) return
    this.lose()
    const { database, held } = this.#options
    await moveSubscription(database, held, { cursor, leaseMs: null })
  }

  /** Nothing that it stands for may go on. */
  lose(): void {
    clearInterval(this.#renewal)
    clearTimeout(this.#end)
    this.#lost.abort()
  }

  async #renew(): Promise<void> {
    const { database, held, leaseMs } = this.#options
    const askedAt = performance.now()
    try {
      if (await moveSubscription(database, held, { leaseMs })) this.#extend(askedAt)
      else this.lose()
    } catch {
      // The next one may come through, or the lease ends.
    }
  }

  #extend(from: number): void {
    if (this.signal.aborted) return
    clearTimeout(this.#end)
    this.#end = setTimeout(() => this.lose(), Math.max(0, from + this.#options.leaseMs - performance.now())).unref()
  }
}
