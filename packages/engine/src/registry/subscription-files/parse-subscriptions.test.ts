import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Ajv2020 } from "ajv/dist/2020.js"
import { describe, expect, test } from "vitest"
import { isTaskerError } from "../../core/error.ts"
import type { TaskerEvent } from "../../core/events/event-map.ts"
import type { Subscriber, SubscriberDefinition } from "../../core/events/subscriber.ts"
import type { FileProblem } from "../definition-files/file-problem.ts"
import { loadSubscriptions } from "./load-subscriptions.ts"
import { parseSubscriptions, type SubscriptionHandlers } from "./parse-subscriptions.ts"
import { subscriptionFileSchema } from "./subscription-file-schema.ts"

const told: unknown[] = []
const handlers: SubscriptionHandlers = {
  "alerts.page": ({ name }: TaskerEvent, context) => void told.push([name, context]),
  noop: () => {},
}

const GOOD = `subscriptions:
  - name: page
    events: [step.failed, task.*, order.shipped]
    handler: alerts.page
    filter: { namespace: payments, workflow: [charge, refund] }
    timeout_ms: 500
    max_pending: 7
    config: { channel: "#ops" }
  - { name: quiet, events: ["*"], handler: noop, enabled: false }
`

const event = (payload: object): TaskerEvent => ({ name: "step.failed", at: new Date(0), payload }) as TaskerEvent

function mistakes(text: string): readonly string[] {
  try {
    parseSubscriptions([{ file: "x.yaml", text }], handlers)
    return []
  } catch (error) {
    if (!isTaskerError(error, "TASKER_SUBSCRIPTION_FILE_INVALID")) throw error
    const problems = error.details["problems"] as readonly FileProblem[]
    return problems.map(
      ({ line, column, message, hint }) => `${line}:${column} ${message}${hint === undefined ? "" : ` (${hint})`}`,
    )
  }
}

/** As the bus sees them: what a file's handlers and filter ask for, nothing checks. */
function parseGood(): readonly SubscriberDefinition<string>[] {
  return parseSubscriptions([{ file: "x.yaml", text: GOOD }], handlers) as readonly (Subscriber
    & SubscriberDefinition<string>)[]
}

describe("parseSubscriptions", () => {
  test("makes subscribers of those that are enabled, with their options", () => {
    const [page, ...others] = parseGood()
    expect(others).toEqual([])
    expect(page).toMatchObject({ name: "page", timeoutMs: 500, maxPending: 7 })
    expect(Object.keys(page?.on ?? {})).toEqual(["step.failed", "task.*", "order.shipped"])
    void page?.on["task.*"]?.(event({}))
    expect(told).toEqual([["step.failed", { subscription: "page", config: { channel: "#ops" } }]])
  })

  test.each([
    [{ namespace: "payments", workflow: "refund" }, true],
    [{ namespace: "payments", workflow: "other" }, false],
    [{ namespace: "shop", workflow: "charge" }, false],
    [{ workerId: 1 }, false],
  ])("its filter says of %j: %s", (payload, passes) => {
    const [page] = parseGood()
    expect(page?.filter?.(event(payload))).toBe(passes)
  })

  test("every mistake is named at once, where it stands", () => {
    const text = `subscriptions:
  - name: a
    events: [step.completd, order.shipped]
    handler: alerts.pge
    timeout: 5
    max_pending: 0
  - name: a
    events: []
    handler: noop
    enabled: maybe
  - events: [worker.started]
    handler: noop
    filter: { step: charge, worklfow: x }
    name: b
  - 7
extra: 1
`
    expect(mistakes(text)).toEqual([
      `3:14 no event is called "step.completd" (did you mean "step.completed"?)`,
      `4:14 there is no handler "alerts.pge": none was given (did you mean "alerts.page"?)`,
      `5:5 unknown key "timeout" in a subscription (did you mean "timeout_ms"?)`,
      "6:18 expected max_pending to be an integer from 1 to 1000000, got 0",
      `7:11 subscription "a" stands in x.yaml:2 already (give it another name)`,
      "8:13 expected events to be a list of names of events, one or more, got an empty list",
      `10:14 expected enabled to be true or false, got "maybe"`,
      "13:21 no event of worker.started has a step (remove the filter)",
      `13:29 unknown key "worklfow" in a filter (did you mean "workflow"?)`,
      "15:5 expected each of subscriptions to be a map, got 7",
      `16:1 unknown key "extra" (known keys: subscriptions)`,
    ])
  })

  test.each([
    ["", "1:1 expected a file of subscriptions to be a map, got nothing"],
    ["subscriptions: 1", "1:16 expected subscriptions to be a list of at most 1000 subscriptions, got 1"],
    ["{}", "1:1 expected subscriptions to be a list of at most 1000 subscriptions, got nothing"],
  ])("%j is none", (text, mistake) => {
    expect(mistakes(text)).toEqual([mistake])
  })
})

describe("loadSubscriptions", () => {
  test("reads a file, or all of a folder, in the order of their names; names are unique in all of it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "subscriptions-"))
    try {
      const one = `subscriptions: [{ name: one, events: ["*"], handler: noop }]`
      await writeFile(join(folder, "b.yaml"), one)
      await writeFile(join(folder, "a.yml"), one.replace("one", "first"))
      await writeFile(join(folder, "notes.txt"), "no YAML: [")
      expect((await loadSubscriptions(folder, handlers)).map(({ name }) => name)).toEqual(["first", "one"])
      expect((await loadSubscriptions(join(folder, "b.yaml"), handlers)).map(({ name }) => name)).toEqual(["one"])
      await writeFile(
        join(folder, "c.json"),
        `{ "subscriptions": [{ "name": "one", "events": ["*"], "handler": "noop" }] }`,
      )
      await expect(loadSubscriptions(folder, handlers)).rejects.toMatchObject({
        code: "TASKER_SUBSCRIPTION_FILE_INVALID",
        message: expect.stringMatching(/c\.json:1:\d+ subscription "one" stands in .*b\.yaml:1 already/),
      })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  test("says what cannot be read", async () => {
    await expect(loadSubscriptions("no/such/file.yaml", handlers)).rejects.toMatchObject({
      code: "TASKER_SUBSCRIPTION_FILE_INVALID",
      message: `subscriptions "no/such/file.yaml" cannot be read: there is no such file`,
    })
  })
})

describe("subscriptionFileSchema", () => {
  test("is the committed file, which editors read (`vitest -u` writes it)", async () => {
    const text = `${JSON.stringify(subscriptionFileSchema(), undefined, 2)}\n`
    await expect(text).toMatchFileSnapshot("../../../subscriptions.schema.json")
  })

  test("takes what the loader takes, and refuses what it refuses for its form", () => {
    const validate = new Ajv2020({ strict: false }).compile(subscriptionFileSchema())
    const base = { name: "a", events: ["*"], handler: "noop" }
    const of = (more: object) => ({ subscriptions: [{ ...base, ...more }] })
    const cases: readonly (readonly [unknown, boolean])[] = [
      [of({}), true],
      [of({ filter: { step: ["a"] }, enabled: false, timeout_ms: 1, max_pending: 1, config: [1] }), true],
      [of({ filter: { step: [] } }), false],
      [of({ filter: { nope: "a" } }), false],
      [of({ enabled: 1 }), false],
      [of({ timeout_ms: 0 }), false],
      [of({ name: "1" }), false],
      [of({ events: [] }), false],
      [of({ more: 1 }), false],
      [{}, false],
    ]
    for (const [file, isGood] of cases) {
      expect({ file, isGood: validate(file) }).toEqual({ file, isGood })
      expect({ file, isGood: mistakes(JSON.stringify(file)).length === 0 }).toEqual({ file, isGood })
    }
  })
})
