import { describe, expect, test } from "vitest"
import type { Subscriber } from "../core/events/subscriber.ts"
import { defineSubscriber } from "./define-subscriber.ts"
import type { RegistryChange } from "./registry-change.ts"
import { createSubscriberRegistry } from "./subscriber-registry.ts"

const nothing = (): void => {}

function subscriber(name: string, ...patterns: readonly string[]): Subscriber {
  return defineSubscriber({ name, on: Object.fromEntries(patterns.map((pattern) => [pattern, nothing])) })
}

function setUp(...subscribers: readonly Subscriber[]) {
  const changes: RegistryChange[] = []
  const connected = new Set<Subscriber>()
  const registry = createSubscriberRegistry({
    onChange: (change) => void changes.push(change),
    connect: (one) => {
      connected.add(one)
      return () => void connected.delete(one)
    },
  })
  for (const one of subscribers) registry.register(one)
  return { registry, changes, connected }
}

/** What a JavaScript user may pass. */
function untyped(value: unknown): Subscriber {
  return value as Subscriber
}

const audit = subscriber("audit", "*")
const steps = subscriber("steps", "step.*", "task.completed")
const failures = subscriber("failures", "*.failed")
const orders = subscriber("orders", "order.shipped")

describe("forEvent", () => {
  test.each([
    ["step.failed", ["audit", "steps", "failures"]],
    ["task.completed", ["audit", "steps"]],
    ["task.failed", ["audit", "failures"]],
    ["order.shipped", ["audit", "orders"]],
    ["order.shipped.late", ["audit"]],
    ["constructor", ["audit"]],
  ])("%s goes to %j", (event, names) => {
    const { registry } = setUp(audit, steps, failures, orders)
    expect(registry.forEvent(event).map(({ name }) => name)).toEqual(names)
  })

  test("goes to a subscriber once, whatever number of its patterns match", () => {
    const { registry } = setUp(subscriber("twice", "*", "step.*", "step.failed"))
    expect(registry.forEvent("step.failed")).toHaveLength(1)
  })

  test("a list that is walked stays as it was while others register and unregister", () => {
    const { registry } = setUp(audit, steps)
    const walked: string[] = []
    for (const { name } of registry.forEvent("step.failed")) {
      walked.push(name)
      registry.unregister("steps")
      registry.register(failures)
    }
    expect(walked).toEqual(["audit", "steps"])
    expect(registry.forEvent("step.failed")).toEqual([audit, failures])
  })
})

describe("register and unregister", () => {
  test("connect a subscriber for as long as it stands, and before others are told", () => {
    const told: boolean[] = []
    const connected = new Set<Subscriber>()
    const registry = createSubscriberRegistry({
      connect: (one) => {
        connected.add(one)
        return () => void connected.delete(one)
      },
      onChange: () => void told.push(connected.size === 1),
    })
    registry.register(audit)
    registry.register(audit)
    expect([...connected]).toEqual([audit])
    const next = subscriber("audit", "task.*")
    registry.register(next, { replace: true })
    expect([...connected]).toEqual([next])
    expect(registry.unregister("audit")).toBe(true)
    expect([...connected]).toEqual([])
    expect(registry.unregister("audit")).toBe(false)
    expect(told).toEqual([true, true, false])
  })

  test("what is refused is not connected, and what stands there stays so", () => {
    const { registry, connected, changes } = setUp(audit)
    expect(() => registry.register(subscriber("audit", "task.*", "step.failed"))).toThrow(
      expect.objectContaining({
        code: "TASKER_NAME_TAKEN",
        message: 'subscriber "audit" is already registered, for *',
        hint: "give it another name, or pass `replace: true`",
      }),
    )
    expect([...connected]).toEqual([audit])
    expect(changes.map(({ operation }) => operation)).toEqual(["registered", "validation_failed"])
  })

  test("lookup, lists and counts", () => {
    const { registry, changes } = setUp(audit, steps, subscriber("more", "*"))
    expect(registry.get("steps")).toBe(steps)
    expect(registry.find("nobody")).toBeUndefined()
    expect(() => registry.get("adit")).toThrow(
      expect.objectContaining({
        code: "TASKER_SUBSCRIBER_NOT_FOUND",
        message: 'no subscriber is named "adit"',
        hint: 'did you mean "audit"?',
        details: { name: "adit", names: ["audit", "steps", "more"] },
      }),
    )
    expect(registry.list().map(({ name }) => name)).toEqual(["audit", "steps", "more"])
    expect(registry.patterns()).toEqual(["*", "step.*", "task.completed"])
    expect(registry.stats()).toEqual({
      kind: "subscriber",
      count: 3,
      registeredCount: 3,
      replacedCount: 0,
      unregisteredCount: 0,
      refusedCount: 0,
      patternCount: 3,
      subscriberCountByPattern: { "*": 2, "step.*": 1, "task.completed": 1 },
    })
    expect(changes[1]).toMatchObject({ facts: { name: "steps", events: ["step.*", "task.completed"] } })
  })
})

describe("the shape of a subscriber", () => {
  test("everything that is missing or misshapen is named in one error", () => {
    const { registry } = setUp()
    const half = {
      on: { "step.complted": nothing, "Step.Failed": nothing, "steps.*": nothing, "task.*.*.*": nothing, "*": "log" },
      filters: () => true,
      timeout: 100,
      maxPending: 0,
      immediate: "yes",
    }
    expect(() => registry.register(untyped(half))).toThrow(
      expect.objectContaining({
        code: "TASKER_SUBSCRIBER_INVALID",
        message: `this is no subscriber that can be registered:
  name: expected name to be text of 1 to 63 letters, digits, ".", "_", "-", "/" and "@" that starts with a letter or "@", got nothing
  on["step.complted"]: no event is called "step.complted" (did you mean "step.completed"?)
  on["Step.Failed"]: expected an event to be the name of an event, such as "step.completed", or a wildcard, such as "step.*", got "Step.Failed"
  on["task.*.*.*"]: no event is called "task.*.*.*"
  on["*"]: expected * to be a function, got "log"
  maxPending: expected maxPending to be an integer from 1 to 1000000, got 0
  immediate: expected immediate to be true or false, got "yes"
  filters: unknown member "filters" (did you mean "filter"?)
  timeout: unknown member "timeout" (did you mean "timeoutMs"?)`,
        hint: "correct the members listed; a subscriber has a name and, in `on`, a function per event at least",
      }),
    )
  })

  test.each<readonly [string, unknown, string]>([
    ["null", null, "expected a subscriber, got null"],
    ["a function", nothing, "on: expected on to be an object of functions by event, one or more, got nothing"],
    ["nothing to listen to", { name: "x", on: {} }, "on: expected on to be an object of functions by event"],
    ["a list of events", { name: "x", on: ["step.failed"] }, "on: expected on to be an object of functions by event"],
    ["a filter that is none", { ...audit, filter: "step" }, 'filter: expected filter to be a function, got "step"'],
  ])("refuses %s", (_, value, message) => {
    const { registry } = setUp()
    expect(() => registry.register(untyped(value))).toThrow(
      expect.objectContaining({ code: "TASKER_SUBSCRIBER_INVALID", message: expect.stringContaining(message) }),
    )
  })

  test("takes objects of classes, whose other fields are their own", () => {
    class Audit {
      readonly name = "audit"
      readonly on = { "*": nothing }
      readonly timeout = 5
      readonly maxPending = 10
    }
    const { registry } = setUp()
    const made = new Audit()
    expect(registry.register(made)).toBe(made)
  })

  test("takes names of custom events, which nobody knows beforehand", () => {
    const { registry } = setUp()
    expect(registry.register(subscriber("custom", "order.shipped", "order.*", "*.shipped")).name).toBe("custom")
  })
})
