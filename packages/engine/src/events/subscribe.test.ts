import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { defineWorkflow } from "../core/define-workflow.ts"
import { silentLogger } from "../core/logger.ts"
import { testDatabases } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import { createTasker, type Tasker } from "../tasker.ts"
import { createGate } from "../testing.ts"
import type { DurableHandler, EventContext } from "./handle-event.ts"
import type { SubscribeOptions } from "./subscribe.ts"
import { collectExamples } from "./test-examples.ts"
import { recordEvents } from "./test-recorder.ts"

const single = defineWorkflow<{ readonly n: number }>({ name: "single", version: "1.0.0" }).step("only", {
  handler: ({ input }) => input.n,
})

const examples = collectExamples()
const kinds = testDatabases(migrate)

describe.each(kinds)("events.subscribe on $kind", ({ kind, open }) => {
  let opened: Awaited<ReturnType<typeof open>>
  let tasker: Tasker
  let name: string
  let count = 0
  const others: Tasker[] = []

  beforeAll(async () => {
    opened = await open()
    tasker = await start()
  })
  beforeEach(() => {
    name = `subscription_${++count}`
  })
  afterEach(async () => {
    await Promise.all(others.splice(0).map((other) => other.close({ timeoutMs: 100 })))
  })
  afterAll(async () => {
    await tasker.close({ timeoutMs: 100 })
    await opened.close()
  })

  async function start(): Promise<Tasker> {
    return await createTasker({ url: opened.url, logger: silentLogger, workflows: [single] })
  }

  async function startAnother(): Promise<Tasker> {
    const other = await start()
    others.push(other)
    return other
  }

  /** Handlers that note what they were given, and what tests wait for. */
  function notes(handle: (n: number, context: EventContext) => void | Promise<void> = () => {}) {
    const handled: number[] = []
    const attempts: string[] = []
    let look: () => void = () => {}
    const on: DurableHandler = async ({ payload }, context) => {
      const n = Number("correlationId" in payload ? payload.correlationId : Number.NaN)
      attempts.push(`${n}#${context.attempt}`)
      look()
      await handle(n, context)
      handled.push(n)
      look()
    }
    const until = async (isSo: () => boolean): Promise<void> => {
      await new Promise<void>((resolve) => {
        look = () => isSo() && resolve()
        look()
      })
    }
    return {
      handled,
      attempts,
      on: { "task.initialize_requested": on },
      untilHandled: async (total: number) => await until(() => handled.length >= total),
      untilTried: async (total: number) => await until(() => attempts.length >= total),
    }
  }

  /** Creates tasks that are told apart by their correlation ids. */
  async function create(...numbers: readonly number[]): Promise<void> {
    for (const n of numbers) await tasker.createTask(single, { n }, { correlationId: String(n) })
  }

  const QUICK: SubscribeOptions = { backoff: { baseMs: 1, capMs: 5 }, leaseMs: 2_000 }
  /** Where a lease that runs out on a busy machine would be another test. */
  const PATIENT: SubscribeOptions = { ...QUICK, leaseMs: 60_000 }

  it("handles what happens from then on, in order, one at a time", async () => {
    await create(0)
    let running = 0
    const noted = notes(async () => {
      expect(++running).toBe(1)
      await new Promise(setImmediate)
      running--
    })
    const { stop } = await tasker.events.subscribe(name, noted.on)
    await create(1, 2, 3, 4, 5)
    await noted.untilHandled(5)
    expect(noted.handled).toEqual([1, 2, 3, 4, 5])
    expect(noted.attempts).toEqual(["1#1", "2#1", "3#1", "4#1", "5#1"])
    await stop()
  })

  it("calls each handler that an event is for, one after the other, and no other", async () => {
    const calls: string[] = []
    const gate = createGate()
    const { stop } = await tasker.events.subscribe(name, {
      "step.*": () => void calls.push("step"),
      "task.*": async () => {
        await new Promise(setImmediate)
        calls.push("task")
      },
      "*.initialize_requested": () => {
        calls.push("created")
        gate.open()
      },
    })
    await create(1)
    await gate.pass()
    expect(calls).toEqual(["task", "created"])
    await stop()
  })

  it("goes on where it was after a pause, with what happened meanwhile", async () => {
    const first = notes()
    const { stop } = await tasker.events.subscribe(name, first.on)
    await create(1, 2)
    await first.untilHandled(2)
    await stop()
    await create(3, 4)
    const second = notes()
    const again = await tasker.events.subscribe(name, second.on, { start: "beginning" })
    await create(5)
    await second.untilHandled(3)
    expect(second.handled).toEqual([3, 4, 5])
    await again.stop()
  })

  it("from the beginning, handles all that ever happened", async () => {
    await create(1)
    const noted = notes()
    const { stop } = await tasker.events.subscribe(name, noted.on, { start: "beginning" })
    const page = await tasker.countTasks()
    await noted.untilHandled(page.states.pending)
    expect(noted.handled.at(-1)).toBe(1)
    await stop()
  })

  describe("an event that cannot be handled", () => {
    it("is tried again and again, and those after it wait", async () => {
      const noted = notes((n, { attempt }) => {
        if (n === 2 && attempt < 4) throw new TypeError(`no ${n}`)
      })
      const recorded = recordEvents(tasker)
      const { stop } = await tasker.events.subscribe(name, noted.on, PATIENT)
      await create(1, 2, 3)
      await noted.untilHandled(3)
      expect(noted.attempts).toEqual(["1#1", "2#1", "2#2", "2#3", "2#4", "3#1"])
      await tasker.events.drained()
      const told = recorded.of("subscription.failed").map(({ payload }) => payload)
      expect(told).toMatchObject(
        [1, 2, 3].map((attempt) => ({
          subscription: name,
          event: "task.initialize_requested",
          attempt,
          error: { name: "TypeError", message: "no 2" },
        })),
      )
      const { value } = await tasker.events.follow({ after: told[0]!.cursor, events: ["task.*"] }).next()
      expect(value?.payload).toMatchObject({ correlationId: "2" })
      recorded.stop()
      await stop()
    })

    it("is known to whoever looks, and to the process that goes on", async () => {
      const noted = notes((n) => {
        if (n === 2) throw new Error("no")
      })
      const { stop } = await tasker.events.subscribe(name, noted.on, { backoff: { baseMs: 60_000 } })
      await create(1, 2, 3)
      await noted.untilTried(2)
      await expect
        .poll(async () => (await tasker.subscriptions.get(name)).failure)
        .toMatchObject({
          event: "task.initialize_requested",
          attempts: 1,
          error: { message: "no" },
        })
      const status = await tasker.subscriptions.get(name)
      expect(status).toMatchObject({ name, pendingRows: 2, skippedCount: 0, holder: expect.stringMatching(/:\d+$/) })
      expect(status.retryAt!.getTime() - Date.now()).toBeGreaterThan(40_000)
      await stop()
      await tasker.subscriptions.rewind(name, status.cursor)
      const next = notes()
      const again = await tasker.events.subscribe(name, next.on)
      await next.untilHandled(2)
      expect(next.handled).toEqual([2, 3])
      await again.stop()
    })

    it("counts its attempts on in the next process", async () => {
      const first = notes(() => {
        throw new Error("no")
      })
      const begun = await tasker.events.subscribe(name, first.on, { backoff: { baseMs: 20, capMs: 20 } })
      await create(1)
      await first.untilTried(3)
      await begun.stop()
      const second = notes()
      const again = await tasker.events.subscribe(name, second.on, PATIENT)
      await second.untilHandled(1)
      expect(second.attempts).toEqual([`1#${first.attempts.length + 1}`])
      await again.stop()
    })

    it("is set aside after as many attempts as were asked for, and the next one handled", async () => {
      const noted = notes((n) => {
        if (n === 2) throw Object.assign(new Error("no"), { code: "E1" })
      })
      const recorded = recordEvents(tasker)
      const { stop } = await tasker.events.subscribe(name, noted.on, { ...PATIENT, skipAfter: 3 })
      await create(1, 2, 3)
      await noted.untilHandled(2)
      expect(noted.attempts).toEqual(["1#1", "2#1", "2#2", "2#3", "3#1"])
      const error = { name: "Error", code: "E1", message: "no" }
      const skipped = await recorded.once("subscription.skipped")
      expect(skipped.payload).toMatchObject({ subscription: name, attempt: 3, error })
      expect(recorded.of("subscription.failed")).toHaveLength(3)
      const [aside] = await tasker.subscriptions.listSkipped(name)
      expect(aside).toMatchObject({
        name: "task.initialize_requested",
        attempts: 3,
        error,
        payload: { correlationId: "2" },
      })
      expect(aside?.at).toBeInstanceOf(Date)
      expect(await tasker.subscriptions.get(name)).toMatchObject({ skippedCount: 1, failure: null })
      recorded.stop()
      await stop()
    })

    it("is known without the secrets in what was thrown, and whatever text that was", async () => {
      const gate = createGate()
      const noted = notes(async (n, { attempt }) => {
        if (attempt === 2) await gate.pass()
        if (n === 1) throw new Error("no\u0000: https://bob:hunter2@shop.com \uD83D")
      })
      const { stop } = await tasker.events.subscribe(name, noted.on, { ...PATIENT, skipAfter: 2 })
      await create(1, 2)
      await noted.untilTried(2)
      const { failure } = await tasker.subscriptions.get(name)
      gate.open()
      await noted.untilHandled(1)
      const message = "no\uFFFD: https://[REDACTED]@shop.com \uFFFD"
      expect(failure?.error.message).toBe(message)
      expect((await tasker.subscriptions.listSkipped(name))[0]?.error.message).toBe(message)
      await stop()
    })

    it("is one whose handler takes too long; it is told so", async () => {
      const noted = notes(async (_n, { signal, attempt }) => {
        if (attempt === 1) {
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))
          signal.throwIfAborted()
        }
        if (attempt === 2) await new Promise(() => {})
      })
      const recorded = recordEvents(tasker)
      const { stop } = await tasker.events.subscribe(name, noted.on, { ...PATIENT, timeoutMs: 30 })
      await create(1)
      await noted.untilHandled(1)
      const errors = recorded.of("subscription.failed").map(({ payload }) => payload.error.code)
      expect(errors).toEqual(["TASKER_SUBSCRIPTION_TIMEOUT", "TASKER_SUBSCRIPTION_TIMEOUT"])
      recorded.stop()
      await stop()
    })
  })

  describe("stop", () => {
    it("waits for the handler that runs, and records what it did", async () => {
      const gate = createGate()
      const noted = notes(() => gate.pass())
      const { stop } = await tasker.events.subscribe(name, noted.on)
      await create(1, 2)
      await noted.untilTried(1)
      const stopped = stop()
      gate.open()
      await stopped
      expect(noted.handled).toEqual([1])
      const next = notes()
      const again = await tasker.events.subscribe(name, next.on)
      await next.untilHandled(1)
      expect(next.attempts).toEqual(["2#1"])
      await again.stop()
    })

    it("waits no longer than it may: then the event is handled again", async () => {
      let reason: unknown
      const noted = notes(async (_n, { signal }) => {
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))
        reason = signal.reason
      })
      const { stop } = await tasker.events.subscribe(name, noted.on)
      await create(1)
      await noted.untilTried(1)
      await stop({ timeoutMs: 1 })
      await noted.untilHandled(1)
      expect(reason).toBeDefined()
      const next = notes()
      const again = await tasker.events.subscribe(name, next.on)
      await next.untilHandled(1)
      expect(next.attempts).toEqual(["1#1"])
      await again.stop()
    })
  })

  it("set back, it handles again what it had handled", async () => {
    const noted = notes()
    const { stop } = await tasker.events.subscribe(name, noted.on, QUICK)
    const { cursor } = await tasker.subscriptions.get(name)
    await create(1, 2)
    await noted.untilHandled(2)
    await tasker.subscriptions.rewind(name, cursor)
    await noted.untilHandled(4)
    expect(noted.handled).toEqual([1, 2, 1, 2])
    await tasker.subscriptions.rewind(name, "now")
    await create(3)
    await noted.untilHandled(5)
    expect(noted.handled).toEqual([1, 2, 1, 2, 3])
    await stop()
  })

  it("lost to somebody else, it tells its handler, and records nothing of it", async () => {
    const gate = createGate()
    const noted = notes(async (_n, { signal, attempt }) => {
      if (attempt > 1 || noted.attempts.length > 1) return
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))
      gate.open()
    })
    const { stop } = await tasker.events.subscribe(name, noted.on, QUICK)
    const { cursor } = await tasker.subscriptions.get(name)
    await create(1)
    await noted.untilTried(1)
    await tasker.subscriptions.rewind(name, cursor)
    await gate.pass()
    await noted.untilTried(2)
    expect(noted.attempts).toEqual(["1#1", "1#1"])
    await stop()
  })

  it("is deleted once nobody holds it, and is unknown then", async () => {
    const recorded = recordEvents(tasker)
    const { stop } = await tasker.events.subscribe(name, notes().on)
    await recorded.until("subscription.claimed")
    await expect(tasker.subscriptions.delete(name)).rejects.toMatchObject({ code: "TASKER_SUBSCRIPTION_HELD" })
    await stop()
    expect((await tasker.subscriptions.list()).map((status) => status.name)).toContain(name)
    await tasker.subscriptions.delete(name)
    for (const call of ["get", "delete"] as const) {
      await expect(tasker.subscriptions[call](name)).rejects.toMatchObject({ code: "TASKER_SUBSCRIPTION_NOT_FOUND" })
    }
    await expect(tasker.subscriptions.rewind(name, "now")).rejects.toMatchObject({
      code: "TASKER_SUBSCRIPTION_NOT_FOUND",
    })
    await expect(tasker.subscriptions.rewind(name, "soon")).rejects.toMatchObject({ code: "TASKER_CURSOR_INVALID" })
    recorded.stop()
  })

  it.skipIf(kind === "pglite")("of two processes, one handles; when it stops, the other goes on", async () => {
    const other = await startAnother()
    const [first, second] = [notes(), notes()]
    const held = await tasker.events.subscribe(name, first.on, PATIENT)
    await create(1)
    await first.untilHandled(1)
    await other.events.subscribe(name, second.on, PATIENT)
    await create(2, 3)
    await first.untilHandled(3)
    await held.stop()
    await create(4, 5)
    await second.untilHandled(2)
    expect(first.handled).toEqual([1, 2, 3])
    expect(second.handled).toEqual([4, 5])
  })

  it.skipIf(kind === "pglite")("ends with its Tasker, which waits for the handler", async () => {
    const other = await startAnother()
    const gate = createGate()
    const noted = notes(() => gate.pass())
    await other.events.subscribe(name, noted.on)
    await create(1)
    await noted.untilTried(1)
    const closed = other.close()
    gate.open()
    await closed
    expect(noted.handled).toEqual([1])
    expect(await tasker.subscriptions.get(name)).toMatchObject({ holder: null, pendingRows: 0 })
    await expect(other.events.subscribe(name, noted.on)).rejects.toMatchObject({ code: "TASKER_CLOSED" })
  })

  it.each<[string, unknown, object]>([
    ["A", { "task.*": () => {} }, {}],
    ["a", {}, {}],
    ["a", null, {}],
    ["a", { "task.*": 1 }, {}],
    ["a", { "task.complete": () => {} }, {}],
    ["a", { "task.*": () => {} }, { skipAfter: 0 }],
    ["a", { "task.*": () => {} }, { timeoutMs: 0 }],
    ["a", { "task.*": () => {} }, { leaseMs: 499 }],
    ["a", { "task.*": () => {} }, { pollMs: 9 }],
    ["a", { "task.*": () => {} }, { backoff: { baseMs: -1 } }],
    ["a", { "task.*": () => {} }, { backoff: { max: 1 } }],
    ["a", { "task.*": () => {} }, { start: 1 }],
    ["a", { "task.*": () => {} }, { from: "now" }],
  ])("refuses %s %j %j", async (given, on, options) => {
    // What the types refuse.
    const subscribed = tasker.events.subscribe(given, on as never, options)
    await expect(subscribed).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
  })

  it("refuses to start where no event was", async () => {
    const subscribed = tasker.events.subscribe(name, notes().on, { start: "1.zzzzzz" })
    await expect(subscribed).rejects.toMatchObject({ code: "TASKER_CURSOR_INVALID" })
    await expect(tasker.events.subscribe(name, notes().on, { start: "soon" })).rejects.toMatchObject({
      code: "TASKER_CURSOR_INVALID",
      message: 'expected start to be "now", "beginning" or the cursor of an event, got "soon"',
    })
  })

  it.runIf(kind === kinds[0]?.kind)("the docs show what is told of it", async () => {
    const recorded = recordEvents(tasker)
    const noted = notes(() => {
      throw new TypeError("invoices is undefined")
    })
    const { stop } = await tasker.events.subscribe("billing", noted.on, { ...PATIENT, skipAfter: 1 })
    await create(1)
    await recorded.until("subscription.skipped")
    await stop()
    await recorded.once("subscription.released")
    examples.keep(recorded.all, {
      "subscription.claimed": 1,
      "subscription.failed": 1,
      "subscription.skipped": 1,
      "subscription.released": 1,
    })
    recorded.stop()
    await examples.compare("subscriptions")
  })
})
