import type { TaskerEvent } from "../core/events/event-map.ts"
import type { EventHandler } from "../core/events/subscriber.ts"
import { isThenable } from "../core/thenable.ts"
import { BoundedQueue } from "./bounded-queue.ts"

/** How a subscriber's handler, or its filter, went wrong. */
export type Trouble = "failed" | "timed_out"

export interface SubscriberQueueOptions {
  readonly timeoutMs: number
  readonly maxPending: number
  readonly onTrouble: (trouble: Trouble, event: TaskerEvent, error: unknown) => void
  /** Told at most once a second, of all that were dropped since the last time. */
  readonly onOverflow: (droppedCount: number) => void
}

export interface DeliveryCounts {
  /** Calls of handlers that ended well. */
  readonly deliveredCount: number
  /** Calls of handlers, or of the filter, that threw. */
  readonly failedCount: number
  readonly timedOutCount: number
  /** Events that it never got, because too many waited. */
  readonly droppedCount: number
  /** Events that wait for it. */
  readonly pendingCount: number
}

interface Delivery {
  readonly event: TaskerEvent
  readonly handlers: readonly EventHandler[]
}

/** After so many events in a row whose handlers waited for nothing, the process gets to do something else. */
const BURST = 100

const OVERFLOW_REPORT_MS = 1_000

/** The events that one subscriber is to be told, and the telling: one after the other, whatever the handlers do. */
export class SubscriberQueue {
  readonly #options: SubscriberQueueOptions
  readonly #pending: BoundedQueue<Delivery>
  readonly #counts = { deliveredCount: 0, failedCount: 0, timedOutCount: 0, droppedCount: 0 }
  #isRunning = false
  #isStopped = false
  #run: Promise<void> = Promise.resolve()
  #unreportedCount = 0
  #overflowTimer: NodeJS.Timeout | undefined
  /** Each ends the waiting for a handler that runs. */
  readonly #waits = new Set<() => void>()

  constructor(options: SubscriberQueueOptions) {
    this.#options = options
    this.#pending = new BoundedQueue(options.maxPending)
  }

  get counts(): DeliveryCounts {
    return { ...this.#counts, pendingCount: this.#pending.length }
  }

  get isIdle(): boolean {
    return !this.#isRunning
  }

  /** Settles when nothing waits and nothing runs. */
  async idle(): Promise<void> {
    while (this.#isRunning) await this.#run
  }

  push(event: TaskerEvent, handlers: readonly EventHandler[]): void {
    if (this.#isStopped) return
    if (this.#pending.push({ event, handlers })) this.#countDropped(1)
    if (this.#isRunning) return
    this.#isRunning = true
    // Not at once: whoever publishes goes on first.
    this.#run = Promise.resolve().then(() => this.#deliverAll())
  }

  /** Delivers at once. What a handler returns is watched, and not waited for. */
  deliver(event: TaskerEvent, handlers: readonly EventHandler[]): void {
    if (this.#isStopped) return
    for (const handle of handlers) {
      if (this.#isStopped) return
      const work = this.#call(handle, event)
      if (work !== undefined) void this.#settled(work, event)
    }
  }

  /** Counts what went wrong, and passes it on. */
  trouble(trouble: Trouble, event: TaskerEvent, error: unknown): void {
    if (trouble === "failed") this.#counts.failedCount += 1
    else this.#counts.timedOutCount += 1
    safely(() => this.#options.onTrouble(trouble, event, error))
  }

  /** Drops what waits. What runs is not waited for, and keeps no process alive; how it ends is still told. */
  stop(): void {
    this.#isStopped = true
    for (const leave of this.#waits) leave()
    this.#reportDropped()
    this.#counts.droppedCount += this.#pending.length
    this.#pending.clear()
  }

  async #deliverAll(): Promise<void> {
    let burst = 0
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      for (const handle of next.handlers) {
        if (this.#isStopped) break
        const work = this.#call(handle, next.event)
        if (work === undefined) continue
        burst = 0
        await this.#settled(work, next.event)
      }
      burst += 1
      if (burst < BURST) continue
      burst = 0
      await new Promise(setImmediate)
    }
    this.#isRunning = false
  }

  /** @returns what is to be waited for */
  #call(handle: EventHandler, event: TaskerEvent): PromiseLike<unknown> | undefined {
    try {
      // Those without a compiler may return anything.
      const returned: unknown = handle(event)
      if (isThenable(returned)) return returned
      this.#counts.deliveredCount += 1
    } catch (error) {
      this.trouble("failed", event, error)
    }
    return undefined
  }

  /** Settles when the handler has, or has had its time, or nobody waits any more. */
  async #settled(work: PromiseLike<unknown>, event: TaskerEvent): Promise<void> {
    const { timeoutMs } = this.#options
    await new Promise<void>((resolve) => {
      let isOver = false
      const end = (tell: () => void): void => {
        if (isOver) return
        isOver = true
        leave()
        tell()
      }
      const leave = (): void => {
        clearTimeout(timer)
        this.#waits.delete(leave)
        resolve()
      }
      const timer = setTimeout(() => {
        end(() => this.trouble("timed_out", event, new Error(`it took longer than ${timeoutMs} ms`)))
      }, timeoutMs)
      this.#waits.add(leave)
      // The handler may have ended its own subscription.
      if (this.#isStopped) leave()
      Promise.resolve(work).then(
        () => end(() => (this.#counts.deliveredCount += 1)),
        (error: unknown) => end(() => this.trouble("failed", event, error)),
      )
    })
  }

  #countDropped(count: number): void {
    this.#counts.droppedCount += count
    this.#unreportedCount += count
    this.#overflowTimer ??= setTimeout(() => this.#reportDropped(), OVERFLOW_REPORT_MS).unref()
  }

  #reportDropped(): void {
    clearTimeout(this.#overflowTimer)
    this.#overflowTimer = undefined
    const droppedCount = this.#unreportedCount
    this.#unreportedCount = 0
    if (droppedCount > 0) safely(() => this.#options.onOverflow(droppedCount))
  }
}

/** A report may meet a logger that throws; there is nobody left to tell. */
function safely(report: () => void): void {
  try {
    report()
  } catch {}
}
