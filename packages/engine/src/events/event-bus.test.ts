import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { CustomEventName, TaskerEvent } from "../core/events/event-map.ts"
import type { SubscriberDefinition } from "../core/events/subscriber.ts"
import type { Logger } from "../core/logger.ts"
import { createRedactor } from "../core/redact.ts"
import { createGate } from "../testing.ts"
import { EventBus } from "./event-bus.ts"

interface Line {
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

let lines: Line[]
let clock: number
let bus: EventBus

beforeEach(() => {
  lines = []
  clock = 0
  const log = (fields: Line["fields"], message: string) => lines.push({ fields, message })
  const logger: Logger = { debug: log, info: log, warn: log, error: log }
  bus = new EventBus({ now: () => new Date(clock), logger, redact: createRedactor() })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Subscribes somebody who writes down the names of what it is told. */
function listen(on: string, options: Partial<SubscriberDefinition<string>> = {}): string[] {
  const told: string[] = []
  bus.subscribe({ name: on, on: { [on]: (event) => void told.push(event.name) }, ...options })
  return told
}

function beat(workerId = 1): void {
  bus.publish("worker.stopped", { workerId, worker: "w", handedBackCount: 0 })
}

/** The worker of a beat. */
function stoppedWorker({ name, payload }: TaskerEvent): number {
  if (name !== "worker.stopped") throw new TypeError(`expected a beat, got ${name}`)
  return payload.workerId
}

function statsOf(subscriber: string): object | undefined {
  return bus.stats().find((one) => one.subscriber === subscriber)
}

describe("publish", () => {
  test("tells those who asked for the name or a wildcard, in order, and after it has returned", async () => {
    const [exact, wild, all] = [listen("worker.stopped"), listen("worker.*"), listen("*")]
    const other = listen("step.*")
    beat()
    bus.publish("worker.stopping", { workerId: 1, worker: "w" })
    expect([exact, wild, all]).toEqual([[], [], []])
    await bus.drained()
    expect(exact).toEqual(["worker.stopped"])
    expect(wild).toEqual(["worker.stopped", "worker.stopping"])
    expect(all).toEqual(["worker.stopped", "worker.stopping"])
    expect(other).toEqual([])
  })

  test("no subscriber changes what the next one sees", async () => {
    const changes: unknown[] = []
    const seen: unknown[] = []
    const change = (event: TaskerEvent): void => {
      const { body, error } = event.payload as { readonly body?: { list: object[] }; readonly error?: object }
      const targets = [event, event.payload, body, body?.list, body?.list[0], error]
      changes.push(targets.filter((target) => target !== undefined && Reflect.set(target, "0", "changed")))
    }
    bus.subscribe({ name: "filters", filter: (event) => (change(event), true), on: { "*": change } })
    bus.subscribe({ name: "next", on: { "*": ({ payload }) => void seen.push(structuredClone(payload)) } })
    const failure = { workerId: 1, worker: "w", error: { name: "Error", code: null, message: "no" } }
    bus.publish("worker.disconnected", failure)
    const facts = { taskId: "1", namespace: "shop", workflow: "w", version: "1.0.0", correlationId: "c" }
    const published = { ...facts, step: "ship", attempt: 1, workerId: 1, body: { list: [{ a: 1 }] } }
    bus.deliver({ name: "order.shipped" as CustomEventName, at: new Date(0), payload: published })
    await bus.drained()
    expect(changes).toEqual([[], [], [], []])
    expect(seen).toEqual([structuredClone(failure), structuredClone(published)])
  })

  test("wants what somebody asked for, until the last of them is gone", () => {
    expect(bus.wants("worker.stopped")).toBe(false)
    const stops = [1, 2].map(() => bus.subscribe({ name: "a", on: { "worker.*": () => {} } }))
    expect(bus.wants("worker.stopped")).toBe(true)
    expect(bus.wants("step.completed")).toBe(false)
    stops[0]?.()
    stops[0]?.()
    expect(bus.wants("worker.stopped")).toBe(true)
    stops[1]?.()
    expect(bus.wants("worker.stopped")).toBe(false)
  })

  test("what one subscriber changes in an event, the next does not see", async () => {
    const events: TaskerEvent[] = []
    bus.subscribe({
      name: "vandal",
      on: {
        "*": (event) => {
          Object.assign(event.payload, { workerId: 7 })
        },
      },
    })
    bus.subscribe({ name: "next", on: { "*": (event) => void events.push(event) } })
    beat(3)
    await bus.drained()
    expect(events[0]).toMatchObject({ name: "worker.stopped", at: new Date(0), payload: { workerId: 3 } })
    expect(statsOf("vandal")).toMatchObject({ failedCount: 1 })
  })

  test("deliver passes an event of a handler on as it is", async () => {
    const told = listen("order.*")
    const name = "order.shipped" as CustomEventName
    expect(bus.wants(name)).toBe(true)
    bus.deliver({ name, at: new Date(5), payload: { step: "ship" } } as TaskerEvent)
    await bus.drained()
    expect(told).toEqual(["order.shipped"])
  })

  test("every handler of a subscriber whose pattern matches is called, in the order in which they are written", async () => {
    const told: string[] = []
    const on = { "worker.*": () => void told.push("wild"), "worker.stopped": () => void told.push("exact") }
    bus.subscribe({ name: "both", on })
    beat()
    await bus.drained()
    expect(told).toEqual(["wild", "exact"])
    expect(statsOf("both")).toMatchObject({ patterns: ["worker.*", "worker.stopped"], deliveredCount: 2 })
  })
})

describe("one function under several patterns", () => {
  test("is called once for an event", async () => {
    const told: string[] = []
    const tell = (event: TaskerEvent) => void told.push(event.name)
    bus.subscribe({ name: "both", on: { "worker.*": tell, "worker.stopped": tell, "*": tell } })
    beat()
    await bus.drained()
    expect(told).toEqual(["worker.stopped"])
  })
})

describe("immediate", () => {
  test("is told before whoever publishes goes on, however many events there are", async () => {
    const told = listen("worker.*", { immediate: true, maxPending: 1 })
    for (let count = 1; count <= 3; count++) {
      beat()
      expect(told).toHaveLength(count)
    }
    expect(statsOf("worker.*")).toMatchObject({ deliveredCount: 3, droppedCount: 0, pendingCount: 0 })
    await bus.drained()
    expect(told).toHaveLength(3)
  })

  test("one that throws or rejects harms nobody, and is told like any other", async () => {
    const troubles = listen("subscriber.*")
    bus.subscribe({ name: "rejects", immediate: true, on: { "worker.*": () => Promise.reject(new Error("late")) } })
    bus.subscribe({
      name: "throws",
      immediate: true,
      on: {
        "worker.*": () => {
          throw new Error("now")
        },
      },
    })
    const next = listen("worker.*", { immediate: true })
    beat()
    expect(next).toEqual(["worker.stopped"])
    await vi.waitFor(() => expect(troubles).toEqual(["subscriber.failed", "subscriber.failed"]), 10_000)
  })

  test("is told nothing after its end", () => {
    const told: string[] = []
    const stop = bus.subscribe({
      name: "a",
      immediate: true,
      on: {
        "worker.*": () => {
          told.push("told")
          stop()
        },
      },
    })
    beat()
    beat()
    expect(told).toEqual(["told"])
  })
})

describe("filter", () => {
  test("only what it says true to is delivered; the rest waits nowhere", async () => {
    const isOdd = (event: TaskerEvent) => event.name === "worker.stopped" && event.payload.workerId % 2 === 1
    const told = listen("worker.stopped", { filter: isOdd, maxPending: 1 })
    for (const workerId of [1, 2, 4, 6]) beat(workerId)
    await bus.drained()
    expect(told).toHaveLength(1)
    expect(statsOf("worker.stopped")).toMatchObject({ deliveredCount: 1, droppedCount: 0 })
  })

  test.each([
    [
      "throws",
      () => {
        throw new Error("broken")
      },
      "broken",
    ],
    ["returns a promise", async () => Promise.reject(new Error("late")), "expected its filter to return true or false"],
    ["returns nothing", () => undefined, "expected its filter to return true or false"],
  ])("one that %s is a failure, and nothing is delivered", async (_, filter, message) => {
    // Without a compiler it may return anything.
    const told = listen("worker.stopped", { filter: filter as unknown as SubscriberDefinition<string>["filter"] })
    const reports: TaskerEvent[] = []
    bus.subscribe({ name: "watch", on: { "subscriber.failed": (event) => void reports.push(event) } })
    const others = listen("worker.*")
    beat()
    await bus.drained()
    expect(told).toEqual([])
    expect(others).toEqual(["worker.stopped"])
    expect(reports).toMatchObject([
      { payload: { subscriber: "worker.stopped", event: "worker.stopped", error: { message } } },
    ])
  })
})

describe("a subscriber that waits", () => {
  test("gets its next event when it is done with this one; nobody else waits for it", async () => {
    const gate = createGate()
    const told: number[] = []
    const on = {
      "worker.stopped": async (event: TaskerEvent) => {
        const workerId = stoppedWorker(event)
        if (workerId === 1) await gate.pass()
        told.push(workerId)
      },
    }
    bus.subscribe({ name: "slow", on })
    const quick = listen("worker.*")
    for (const workerId of [1, 2, 3]) beat(workerId)
    await gate.reached()
    expect(quick).toHaveLength(3)
    expect(told).toEqual([])
    expect(statsOf("slow")).toMatchObject({ pendingCount: 2 })
    gate.open()
    await bus.drained()
    expect(told).toEqual([1, 2, 3])
  })

  test("one that hangs is given up after its time, told as such, and gets the next event", async () => {
    vi.useFakeTimers()
    const told: number[] = []
    const on = {
      "worker.stopped": async (event: TaskerEvent) => {
        told.push(stoppedWorker(event))
        if (told.length === 1) await new Promise(() => {})
      },
    }
    bus.subscribe({ name: "hangs", on, timeoutMs: 250 })
    const reports: TaskerEvent[] = []
    bus.subscribe({ name: "watch", on: { "subscriber.*": (event) => void reports.push(event) } })
    beat(1)
    beat(2)
    await vi.advanceTimersByTimeAsync(249)
    expect(told).toEqual([1])
    await vi.advanceTimersByTimeAsync(1)
    expect(told).toEqual([1, 2])
    expect(reports).toMatchObject([
      {
        name: "subscriber.timed_out",
        payload: { subscriber: "hangs", event: "worker.stopped", error: { message: "it took longer than 250 ms" } },
      },
    ])
    expect(statsOf("hangs")).toMatchObject({ timedOutCount: 1, deliveredCount: 1, failedCount: 0 })
    expect(lines).toMatchObject([{ fields: { subscriber: "hangs", event: "worker.stopped" } }])
  })

  test("what a handler does after it was given up is nobody's business, its rejection included", async () => {
    vi.useFakeTimers()
    let reject: (error: Error) => void = () => {}
    const on = { "worker.stopped": () => new Promise<void>((_, no) => (reject = no)) }
    bus.subscribe({ name: "late", on, timeoutMs: 10 })
    beat()
    await vi.advanceTimersByTimeAsync(10)
    reject(new Error("too late"))
    await vi.advanceTimersByTimeAsync(10)
    expect(statsOf("late")).toMatchObject({ timedOutCount: 1, failedCount: 0, deliveredCount: 0 })
  })
})

describe("a subscriber that fails", () => {
  const boom = () => {
    throw new RangeError("boom")
  }
  test.each([
    ["throws", boom],
    ["rejects", async () => Promise.reject(new RangeError("boom"))],
  ])("one that %s is told as such, counted and logged; the others are told all the same", async (_, handler) => {
    bus.subscribe({ name: "fails", on: { "worker.stopped": handler } })
    const reports: TaskerEvent[] = []
    bus.subscribe({ name: "watch", on: { "subscriber.failed": (event) => void reports.push(event) } })
    const others = listen("worker.*")
    beat()
    beat()
    await bus.drained()
    expect(others).toHaveLength(2)
    const payload = {
      subscriber: "fails",
      event: "worker.stopped",
      error: { name: "RangeError", code: null, message: "boom" },
    }
    expect(reports).toEqual([1, 2].map(() => ({ name: "subscriber.failed", at: new Date(0), payload })))
    expect(statsOf("fails")).toMatchObject({ failedCount: 2, deliveredCount: 0 })
  })

  test("secrets in what it threw are hidden", async () => {
    const fail = () => {
      throw new Error("refused: password=hunter2")
    }
    bus.subscribe({ name: "fails", on: { "worker.stopped": fail } })
    const reports: TaskerEvent[] = []
    bus.subscribe({ name: "watch", on: { "subscriber.failed": (event) => void reports.push(event) } })
    beat()
    await bus.drained()
    expect(reports).toMatchObject([{ payload: { error: { message: "refused: password=[REDACTED]" } } }])
  })

  test("its log lines are one a second at most, and say how often it has failed", async () => {
    bus.subscribe({ name: "fails", on: { "worker.stopped": boom } })
    for (clock = 0; clock < 2_000; clock += 100) {
      beat()
      await bus.drained()
    }
    expect(lines.map(({ fields }) => fields["failedCount"])).toEqual([1, 11])
  })

  test("it is not told of its own failures, and two of them do not keep each other busy", async () => {
    const calls: string[] = []
    for (const name of ["one", "other"]) {
      const fail = (event: TaskerEvent) => {
        calls.push(`${name} ${event.name}`)
        throw new Error("always")
      }
      bus.subscribe({ name, on: { "*": fail } })
    }
    beat()
    await bus.drained()
    expect(calls.toSorted()).toEqual([
      "one subscriber.failed",
      "one worker.stopped",
      "other subscriber.failed",
      "other worker.stopped",
    ])
    expect(statsOf("one")).toMatchObject({ failedCount: 2 })
  })

  test("a logger that throws stops nothing", async () => {
    const broken = (): never => {
      throw new Error("no disk")
    }
    bus = new EventBus({
      now: () => new Date(0),
      logger: { debug: broken, info: broken, warn: broken, error: broken },
      redact: createRedactor(),
    })
    const told: string[] = []
    const fail = async (event: TaskerEvent) => {
      told.push(event.name)
      throw new Error("always")
    }
    bus.subscribe({ name: "fails", on: { "*": fail } })
    beat()
    beat()
    await bus.drained()
    expect(told).toEqual(["worker.stopped", "worker.stopped"])
  })
})

describe("a subscriber that is too slow", () => {
  test("misses what has waited longest, and that is counted, logged and told once a second", async () => {
    vi.useFakeTimers()
    const gate = createGate()
    const told: number[] = []
    const on = {
      "worker.stopped": async (event: TaskerEvent) => {
        await gate.pass()
        told.push(stoppedWorker(event))
      },
    }
    bus.subscribe({ name: "slow", on, maxPending: 2 })
    const reports: TaskerEvent[] = []
    bus.subscribe({ name: "watch", on: { "subscriber.overflowed": (event) => void reports.push(event) } })
    beat(1)
    await gate.reached()
    for (const workerId of [2, 3, 4, 5, 6]) beat(workerId)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(reports).toMatchObject([{ payload: { subscriber: "slow", droppedCount: 3 } }])
    beat(7)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(reports.slice(1)).toMatchObject([{ payload: { droppedCount: 1 } }])
    expect(lines).toMatchObject([{ fields: { droppedCount: 3 } }, { fields: { droppedCount: 1 } }])
    gate.open()
    await vi.advanceTimersByTimeAsync(0)
    expect(told).toEqual([1, 6, 7])
    expect(statsOf("slow")).toMatchObject({ deliveredCount: 3, droppedCount: 4, pendingCount: 0 })
  })

  test("a queue that was never full drops nothing: 10,000 fit", async () => {
    const told = listen("worker.stopped")
    for (let workerId = 0; workerId < 10_000; workerId++) beat(workerId)
    expect(statsOf("worker.stopped")).toMatchObject({ pendingCount: 10_000, droppedCount: 0 })
    beat()
    expect(statsOf("worker.stopped")).toMatchObject({ pendingCount: 10_000, droppedCount: 1 })
    await bus.drained()
    expect(told).toHaveLength(10_000)
  })

  test("the process gets to do other things while many events are told", async () => {
    let toldCount = 0
    bus.subscribe({ name: "count", on: { "*": () => void (toldCount += 1) } })
    for (let index = 0; index < 1_000; index++) beat()
    await new Promise(setImmediate)
    expect(toldCount).toBeGreaterThan(0)
    expect(toldCount).toBeLessThan(1_000)
    await bus.drained()
    expect(toldCount).toBe(1_000)
  })
})

describe("the end", () => {
  test("after it unsubscribed nobody is told anything, not even what waited", async () => {
    const told: string[] = []
    const stop = bus.subscribe({ name: "a", on: { "*": (event) => void told.push(event.name) } })
    beat()
    stop()
    beat()
    await bus.drained()
    await new Promise(setImmediate)
    expect(told).toEqual([])
    expect(bus.stats()).toEqual([])
  })

  test("a handler may unsubscribe itself, or subscribe somebody else", async () => {
    const told = [[], []] as [string[], string[]]
    const stop = bus.subscribe({
      name: "once",
      on: {
        "worker.*": (event) => {
          told[0].push(event.name)
          stop()
          bus.subscribe({ name: "next", on: { "worker.*": (later) => void told[1].push(later.name) } })
        },
      },
    })
    beat()
    await bus.drained()
    bus.publish("worker.stopping", { workerId: 1, worker: "w" })
    await bus.drained()
    expect(told).toEqual([["worker.stopped"], ["worker.stopping"]])
  })

  test("drained waits for what subscribers bring about", async () => {
    const told = listen("queue.paused")
    const on = {
      "worker.stopped": async () => {
        await new Promise(setImmediate)
        bus.publish("queue.paused", { queue: "q", by: null, reason: null })
      },
    }
    bus.subscribe({ name: "chain", on })
    beat()
    await bus.drained()
    expect(told).toEqual(["queue.paused"])
  })

  test("close lets what waits be told, and then tells nobody", async () => {
    const told = listen("worker.stopped")
    beat()
    await bus.close(1_000)
    beat()
    await bus.drained()
    expect(told).toHaveLength(1)
    expect(bus.wants("worker.stopped")).toBe(false)
    expect(lines).toEqual([])
  })

  test("close waits no longer than it is told to, and says who was not done", async () => {
    const gate = createGate()
    bus.subscribe({ name: "hangs", on: { "*": () => gate.pass() } })
    beat()
    beat()
    await gate.reached()
    await bus.close(1)
    expect(lines).toMatchObject([{ fields: { subscriber: "hangs", pendingCount: 1 } }])
    gate.open()
  })

  test("nothing that hangs keeps the process alive after close, and how it ends is told", async () => {
    vi.useFakeTimers()
    const gates = [createGate(), createGate()] as const
    const fail = async (): Promise<void> => {
      await gates[0].pass()
      throw new Error("late")
    }
    bus.subscribe({ name: "hangs", on: { "*": fail } })
    bus.subscribe({ name: "hangs at once", immediate: true, on: { "*": () => gates[1].pass() } })
    beat()
    await Promise.all(gates.map((gate) => gate.reached()))
    const closing = bus.close(1)
    await vi.advanceTimersByTimeAsync(1)
    await closing
    expect(vi.getTimerCount()).toBe(0)
    gates[0].open()
    await vi.advanceTimersByTimeAsync(0)
    expect(lines.at(-1)).toMatchObject({ fields: { subscriber: "hangs", error: { message: "late" } } })
    gates[1].open()
  })

  test("a handler that ends its own subscription is not waited for, and the next one is not called", async () => {
    vi.useFakeTimers()
    const called: string[] = []
    const end = bus.subscribe({
      name: "ends",
      on: {
        "worker.stopped": async () => {
          called.push("first")
          end()
          await new Promise(() => {})
        },
        "worker.*": () => void called.push("second"),
      },
    })
    beat()
    await vi.advanceTimersByTimeAsync(0)
    expect(called).toEqual(["first"])
    expect(vi.getTimerCount()).toBe(0)
  })
})
