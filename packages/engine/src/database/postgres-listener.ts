import { randomUUID } from "node:crypto"
import { setTimeout as delay } from "node:timers/promises"
import pg from "pg"
import { TaskerError } from "../core/error.ts"
import type { Logger } from "../core/logger.ts"
import { within } from "./within.ts"

/** What the listener needs from the pool that it stands beside. */
export interface ListenerSettings {
  readonly clientConfig: pg.ClientConfig
  readonly logger: Logger
  /** Runs a statement on another connection: a notification that a connection sends to itself proves nothing. */
  readonly notify: (text: string, timeoutMs: number) => Promise<void>
  /** How long the notification that it sends to itself may take. Default: 3,000. */
  readonly selfTestMs?: number
}

interface Subscriber {
  readonly onNotify: (payload: string) => void
  readonly onReset: () => void
}

const SELF_TEST_MS = 3_000
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 5_000

/**
 * Listens on one connection of its own for all channels of a database.
 *
 * idle → (first `listen`) → connected → (connection lost) → retrying, with a growing delay → connected, which listens again on
 * every channel and tells each subscriber that notifications may have been missed → … → (`close`) → closed.
 */
export class PostgresListener {
  readonly #settings: ListenerSettings
  readonly #channels = new Map<string, Set<Subscriber>>()
  readonly #stopping = new AbortController()
  #client: pg.Client | undefined
  #connecting: Promise<pg.Client> | undefined
  #retrying: Promise<void> | undefined
  #tested = false
  readonly #probeChannel = `tasker_probe_${randomUUID()}`
  readonly #probes = new Map<string, () => void>()
  #probing: Promise<unknown> | undefined

  constructor(settings: ListenerSettings) {
    this.#settings = settings
  }

  async listen(
    channel: string,
    onNotify: Subscriber["onNotify"],
    onReset: Subscriber["onReset"],
  ): Promise<() => Promise<void>> {
    const subscriber: Subscriber = { onNotify, onReset }
    const client = await this.#connected()
    const subscribers = this.#channels.get(channel) ?? new Set()
    this.#channels.set(channel, subscribers.add(subscriber))
    try {
      await client.query(`listen ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      this.#forget(channel, subscriber)
      throw error
    }
    if (!this.#tested) this.#selfTest(client)
    return async () => {
      if (this.#forget(channel, subscriber)) await this.#unlisten(channel)
    }
  }

  /**
   * Sends a notification to itself by another connection, and waits until it has arrived.
   *
   * @throws TASKER_DATABASE_UNAVAILABLE when the connection is lost, or nothing arrives in time.
   */
  async probe(timeoutMs: number): Promise<void> {
    const payload = randomUUID()
    const heard = new Promise<void>((resolve) => this.#probes.set(payload, resolve))
    try {
      if (this.#retrying !== undefined) throw lost()
      // Once: a connection that comes after a lost one listens on it again.
      this.#probing ??= this.listen(this.#probeChannel, (text) => this.#probes.get(text)?.(), ignore).catch(
        (error: unknown) => {
          this.#probing = undefined
          throw error
        },
      )
      const sent = this.#probing.then(async () => {
        const text = `notify ${pg.escapeIdentifier(this.#probeChannel)}, ${pg.escapeLiteral(payload)}`
        await this.#settings.notify(text, timeoutMs)
      })
      await within(Promise.all([sent, heard]), timeoutMs, "a notification did not arrive")
    } finally {
      this.#probes.delete(payload)
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    this.#channels.clear()
    await this.#retrying
    await this.#client?.end().catch(ignore)
    this.#client = undefined
  }

  // Whether this was the last subscriber of the channel.
  #forget(channel: string, subscriber: Subscriber): boolean {
    const subscribers = this.#channels.get(channel)
    if (subscribers?.delete(subscriber) !== true || subscribers.size > 0) return false
    return this.#channels.delete(channel)
  }

  async #unlisten(channel: string): Promise<void> {
    try {
      await this.#client?.query(`unlisten ${pg.escapeIdentifier(channel)}`)
      if (this.#channels.has(channel)) await this.#client?.query(`listen ${pg.escapeIdentifier(channel)}`)
    } catch {
      // The connection is lost, and what it listened on with it.
    }
  }

  async #connected(): Promise<pg.Client> {
    await this.#retrying
    if (this.#client !== undefined) return this.#client
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = undefined))
    return await this.#connecting
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client(this.#settings.clientConfig)
    client.on("error", () => this.#lost(client))
    client.on("end", () => this.#lost(client))
    client.on("notification", ({ channel, payload }) => this.#deliver(channel, payload ?? ""))
    try {
      await client.connect()
      for (const channel of this.#channels.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      await client.end().catch(ignore)
      throw error
    }
    this.#client = client
    return client
  }

  #deliver(channel: string, payload: string): void {
    for (const subscriber of this.#channels.get(channel) ?? []) {
      this.#guarded(() => subscriber.onNotify(payload))
    }
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client || this.#stopping.signal.aborted) return
    this.#client = undefined
    this.#settings.logger.warn(
      {},
      "the connection that listens for notifications was lost; polling goes on, reconnecting",
    )
    this.#retrying = this.#reconnect().finally(() => (this.#retrying = undefined))
  }

  async #reconnect(): Promise<void> {
    for (
      let retryMs = FIRST_RETRY_MS;
      !this.#stopping.signal.aborted;
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)
    ) {
      try {
        await this.#connect()
        if (this.#stopping.signal.aborted) return
        this.#settings.logger.info({}, "listening for notifications again")
        const subscribers = [...this.#channels.values()].flatMap((ofChannel) => [...ofChannel])
        for (const { onReset } of subscribers) this.#guarded(onReset)
        return
      } catch {
        // Half of the delay is random, so that many workers do not come back in one instant.
        const waitMs = retryMs * (0.5 + Math.random() / 2)
        await delay(waitMs, undefined, { signal: this.#stopping.signal }).catch(ignore)
      }
    }
  }

  // PgBouncer in transaction mode accepts LISTEN and then delivers nothing. Polling works all the same; it should be known.
  #selfTest(client: pg.Client): void {
    this.#tested = true
    const channel = `tasker_self_test_${randomUUID()}`
    const selfTestMs = this.#settings.selfTestMs ?? SELF_TEST_MS
    const timer = setTimeout(() => {
      if (this.#client !== client) return
      this.#settings.logger.warn(
        {},
        "notifications do not arrive (PgBouncer in transaction mode?): polling alone works; pass notifications: false to save the connection",
      )
      finish()
    }, selfTestMs)
    timer.unref()
    const onNotification = (message: pg.Notification): void => {
      if (message.channel === channel) finish()
    }
    const finish = (): void => {
      clearTimeout(timer)
      client.off("notification", onNotification)
      if (this.#client === client) client.query(`unlisten ${pg.escapeIdentifier(channel)}`).catch(ignore)
    }
    client.on("notification", onNotification)
    this.#stopping.signal.addEventListener("abort", () => clearTimeout(timer), { once: true })
    client
      .query(`listen ${pg.escapeIdentifier(channel)}`)
      .then(() => this.#settings.notify(`notify ${pg.escapeIdentifier(channel)}`, selfTestMs))
      .catch(ignore)
  }

  #guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#settings.logger.error({ error: String(error) }, "a subscriber to notifications threw")
    }
  }
}

function lost(): TaskerError {
  return new TaskerError("TASKER_DATABASE_UNAVAILABLE", "the connection that listens for notifications was lost", {
    hint: "it is made again by itself; polling goes on meanwhile",
  })
}

function ignore(): void {}
