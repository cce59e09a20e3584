import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { testDatabases, type TestDatabase } from "../../database/test-database.ts"
import { migrate } from "../migrate.ts"
import { run, runOne } from "../run.ts"
import { at } from "../test-clock.ts"
import { openTransaction, untilBlocked } from "../test-store.ts"
import { createSubscription } from "./create-subscription.ts"
import { deleteSubscription } from "./delete-subscription.ts"
import { listSkippedEvents } from "./list-skipped-events.ts"
import { listSubscriptions } from "./list-subscriptions.ts"
import { rewindSubscription } from "./rewind-subscription.ts"

interface Claim {
  readonly generation: number | null
  readonly held_ms: number | null
  readonly cursor: string | null
  readonly failure: unknown
  readonly retry_ms: number | null
}

describe.each(testDatabases(migrate))("durable subscriptions on $kind", ({ kind, open }) => {
  let opened: TestDatabase
  let name: string
  let count = 0

  beforeAll(async () => {
    opened = await open()
  })
  beforeEach(async () => {
    name = `subscription_${++count}`
    await createSubscription(opened.database, name, "1.a")
  })
  afterAll(async () => await opened.close())

  async function claim(ms: number, holder = "a", db = opened.database): Promise<Claim | undefined> {
    const text = "select * from tasker.claim_subscription($1, $2, '10 seconds', $3)"
    const [row] = await run<Claim>(db, { text, values: [name, holder, at(ms)] })
    return row
  }

  interface Move {
    readonly cursor?: string
    readonly failure?: object
    readonly retryMs?: number
    readonly lease?: string | null
  }

  async function move(generation: number | null | undefined, ms: number, given: Move = {}): Promise<boolean> {
    const { cursor = null, failure = null, retryMs = null, lease = "10 seconds" } = given
    const { held } = await runOne<{ held: boolean }>(opened.database, {
      text: "select tasker.move_subscription($1, $2, $3, $4, $5, $6, $7) as held",
      values: [name, generation, cursor, failure, retryMs, lease, at(ms)],
    })
    return held
  }

  async function standing() {
    const [row] = await listSubscriptions(opened.database, name)
    return row
  }

  it("is held by one until its lease is over, and then by the next", async () => {
    expect(await claim(0)).toEqual({ generation: 1, held_ms: null, cursor: "1.a", failure: null, retry_ms: null })
    expect(await claim(4_000, "b")).toMatchObject({ generation: null, held_ms: 6_000, cursor: null })
    expect(await claim(9_999, "a")).toMatchObject({ generation: null, held_ms: 1 })
    expect(await claim(10_000, "b")).toMatchObject({ generation: 2 })
    expect((await standing())?.holder).toBe("b")
  })

  it("is held for longer by every word of its holder, and by nobody else's", async () => {
    const held = await claim(0)
    expect(await move(held?.generation, 9_000)).toBe(true)
    expect(await claim(18_999, "b")).toMatchObject({ generation: null })
    const next = await claim(19_000, "b")
    expect(await move(held?.generation, 19_001, { cursor: "1.z" })).toBe(false)
    expect(await move(next?.generation, 19_001, { cursor: "1.b" })).toBe(true)
    expect((await standing())?.cursor).toBe("1.b")
  })

  it("a holder that was only late has it still, if nobody else took it", async () => {
    const held = await claim(0)
    expect(await move(held?.generation, 60_000, { cursor: "1.b" })).toBe(true)
  })

  it("is given up with what was handled, and no word of its holder counts after that", async () => {
    const held = await claim(0)
    expect(await move(held?.generation, 1, { cursor: "1.b", lease: null })).toBe(true)
    expect(await standing()).toMatchObject({ holder: null, leaseUntil: null, cursor: "1.b" })
    expect(await move(held?.generation, 2, { cursor: "1.c" })).toBe(false)
    expect(await claim(2, "b")).toMatchObject({ generation: 2, cursor: "1.b" })
  })

  it("remembers a failure for whoever comes next, until the event is handled", async () => {
    const held = await claim(0)
    const failure = { row: 5, event: "step.failed", attempts: 2, error: { name: "Error", code: null, message: "no" } }
    await move(held?.generation, 0, { cursor: "1.b", failure, retryMs: 4_000 })
    expect(await standing()).toMatchObject({ cursor: "1.b", failure: { event: "step.failed", attempts: 2 } })
    expect((await standing())?.failure).not.toHaveProperty("row")
    await move(held?.generation, 1_000)
    expect(await claim(11_000, "b")).toMatchObject({ generation: 2, failure, retry_ms: -7_000 })
    expect(await move(2, 11_000, { cursor: "1.c" })).toBe(true)
    expect(await standing()).toMatchObject({ failure: null, retryAt: null })
  })

  it("sets an event aside and goes on behind it, in one", async () => {
    const held = await claim(0)
    const error = { name: "Error", code: "E1", message: "no" }
    const given = { name: "step.failed", at: at(7), payload: { step: "one" } }
    const skip = async (generation: number | null | undefined, attempts: number) =>
      await runOne<{ held: boolean }>(opened.database, {
        text: "select tasker.skip_event($1, $2, '1.c', $3, '10 seconds', $4) as held",
        values: [name, generation, { row: 5, event: "step.failed", attempts, error, given }, at(100)],
      })
    expect(await skip(99, 3)).toEqual({ held: false })
    expect(await listSkippedEvents(opened.database, name, 10)).toEqual([])
    expect(await skip(held?.generation, 3)).toEqual({ held: true })
    expect(await standing()).toMatchObject({ cursor: "1.c", skippedCount: 1 })
    const skipped = { ...given, attempts: 3, skippedAt: at(100), error }
    expect(await listSkippedEvents(opened.database, name, 10)).toEqual([skipped])
    // Set back, it meets the event again.
    expect(await skip(held?.generation, 4)).toEqual({ held: true })
    expect(await listSkippedEvents(opened.database, name, 10)).toEqual([{ ...skipped, attempts: 4 }])
    expect(await listSkippedEvents(opened.database, name, 0)).toEqual([])
  })

  it("is set back under its holder, whose words do not count from then on", async () => {
    const held = await claim(0)
    expect(await rewindSubscription(opened.database, name, "1.0")).toBe(true)
    expect(await move(held?.generation, 1, { cursor: "1.z" })).toBe(false)
    expect(await claim(1)).toMatchObject({ generation: 3, cursor: "1.0" })
    expect(await rewindSubscription(opened.database, "none", "1.0")).toBe(false)
  })

  it("is deleted with what it set aside, but not while it is held", async () => {
    await opened.database.query({
      text: "insert into tasker.skipped_events values ($1, 1, 'x', 1, now(), '{}', '{}')",
      values: [name],
    })
    await opened.database.query({
      text: "select from tasker.claim_subscription($1, 'a', '1 hour')",
      values: [name],
    })
    expect(await deleteSubscription(opened.database, name)).toBe(false)
    expect(await standing()).toMatchObject({ isHeld: true, skippedCount: 1 })
    await rewindSubscription(opened.database, name, "1.0")
    expect(await deleteSubscription(opened.database, name)).toBe(true)
    expect(await standing()).toBeUndefined()
    expect(await claim(0)).toBeUndefined()
    const left = await opened.database.query({
      text: "select from tasker.skipped_events where subscription = $1",
      values: [name],
    })
    expect(left).toEqual([])
  })

  it("keeps its place when it is made again", async () => {
    await createSubscription(opened.database, name, "1.z")
    expect((await standing())?.cursor).toBe("1.a")
  })

  it.skipIf(kind === "pglite")("of two that claim it at the same time, one has it", async () => {
    const first = await openTransaction(opened.database, (tx) =>
      claim(0, "a", { ...opened.database, query: tx.query.bind(tx) }),
    )
    const second = claim(0, "b")
    await untilBlocked(opened.database)
    await first.commit()
    expect(first.result).toMatchObject({ generation: 1 })
    expect(await second).toMatchObject({ generation: null, held_ms: 10_000 })
  })
})
