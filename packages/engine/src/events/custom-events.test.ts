import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { z } from "zod"
import { defineWorkflow } from "../core/define-workflow.ts"
import { PermanentError } from "../core/error.ts"
import type { CustomEvent } from "../core/events/event-map.ts"
import { silentLogger } from "../core/logger.ts"
import type { AnyWorkflow } from "../core/workflow.ts"
import { testDatabase, type TestDatabaseKind, testDatabases } from "../database/test-database.ts"
import { parseWorkflow } from "../registry/definition-files/parse-workflow.ts"
import { migrate } from "../store/migrate.ts"
import { createTasker, type Tasker, type TaskerOptions } from "../tasker.ts"
import { createGate, runTask, untilEnd } from "../testing.ts"
import { noteEnds } from "./test-ends.ts"
import { recordEvents } from "./test-recorder.ts"

const shipped = z.object({ parcel: z.string(), express: z.boolean().default(false) })
const once = { maxAttempts: 1 } as const
const soon = { backoff: { delaysMs: [1], jitter: 0 } } as const

/** Opens Taskers on one database, with what handlers publish in them. */
function bench(open: TestDatabaseKind["open"]) {
  let opened: Awaited<ReturnType<typeof open>>
  const taskers: Tasker[] = []

  beforeAll(async () => {
    opened = await open()
  })
  afterEach(async () => {
    await Promise.all(taskers.splice(0).map((tasker) => tasker.close({ timeoutMs: 100 })))
  })
  afterAll(async () => await opened.close())

  const sql = async (text: string) => await opened.database.query({ text })
  const start = async (workflow: AnyWorkflow, options: TaskerOptions = {}) => {
    const tasker = await createTasker({ url: opened.url, logger: silentLogger, workflows: [workflow], ...options })
    taskers.push(tasker)
    const told: CustomEvent[] = []
    tasker.events.on("order.*", (event) => void told.push(event))
    const ended = noteEnds(tasker)
    // What two lanes did is told in the order of their answers, which need not be that of what happened.
    const worker = await tasker.startWorker({ lanes: 1 })
    /** What was told and what history holds of the task: the same, or the test fails. */
    const published = async (taskId: string): Promise<readonly unknown[]> => {
      await ended(Promise.resolve({ taskId }))
      const history = (await tasker.getHistory(taskId)).flatMap(({ event }) => event ?? [])
      const heard = told.filter(({ payload }) => payload.taskId === taskId)
      expect(heard.map(({ name, payload }) => ({ name, payload: payload.body }))).toEqual(history)
      return history.map(({ name, payload }) => [name, payload])
    }
    return { tasker, told, worker, published }
  }
  return { start, sql }
}

describe.each(testDatabases(migrate))("events of a user's on $kind", ({ open }) => {
  const { start } = bench(open)

  it("are told once, with their facts, in order, and before the step's completion", async () => {
    const workflow = defineWorkflow({
      namespace: "shop",
      name: "publishes",
      version: "1.0.0",
      input: z.unknown(),
      events: { "order.shipped": shipped },
    })
      .step("ship", {
        events: { "order.weighed": { type: "integer" } },
        handler: ({ publish }) => {
          publish("order.weighed", 7)
          publish("order.shipped", { parcel: "p_1" })
          publish("order.shipped", { parcel: "p_2", express: true })
        },
      })
      .step("thank", { dependsOn: ["ship"], handler: ({ publish }) => publish("order.shipped", { parcel: "p_3" }) })
    const { tasker, told, worker, published } = await start(workflow)
    const recorded = recordEvents(tasker)
    const { taskId } = await runTask(tasker, workflow, null, { correlationId: "c_1" })
    expect(await published(taskId)).toEqual([
      ["order.weighed", 7],
      ["order.shipped", { parcel: "p_1", express: false }],
      ["order.shipped", { parcel: "p_2", express: true }],
      ["order.shipped", { parcel: "p_3", express: false }],
    ])
    expect(told[0]).toEqual({
      name: "order.weighed",
      at: expect.any(Date),
      payload: {
        taskId,
        namespace: "shop",
        workflow: "publishes",
        version: "1.0.0",
        correlationId: "c_1",
        step: "ship",
        attempt: 1,
        workerId: worker.workerId,
        body: 7,
      },
    })
    const names = recorded.names().filter((name) => /^(order\.|step\.completed|task\.completed)/.test(name))
    expect(names).toEqual([
      "order.weighed",
      "order.shipped",
      "order.shipped",
      "step.completed",
      "order.shipped",
      "step.completed",
      "task.completed",
    ])
  })

  it("are told after the commit: who hears of one finds its step complete", async () => {
    const workflow = defineWorkflow({ name: "commits", version: "1.0.0" }).step("ship", {
      events: { "order.shipped": shipped },
      handler: ({ publish }) => publish("order.shipped", { parcel: "p" }),
    })
    const { tasker } = await start(workflow)
    const states: unknown[] = []
    tasker.events.on("order.shipped", async ({ payload }) => {
      states.push((await tasker.getSteps(payload.taskId)).map(({ state }) => state))
    })
    await runTask(tasker, workflow, null)
    await expect.poll(() => states, { timeout: 10_000 }).toEqual([["complete"]])
  })

  it("of attempts that fail are dropped: only those of the attempt that is recorded as complete are told", async () => {
    const workflow = defineWorkflow({ name: "retries", version: "1.0.0", ...soon }).step("ship", {
      maxAttempts: 3,
      events: { "order.shipped": shipped },
      handler: ({ publish, attempt }) => {
        publish("order.shipped", { parcel: `attempt ${attempt}` })
        if (attempt < 3) throw new Error("again")
      },
    })
    const { tasker, told, published } = await start(workflow)
    const { taskId, attempts } = await runTask(tasker, workflow, null)
    expect(attempts).toEqual({ ship: 3 })
    expect(await published(taskId)).toEqual([["order.shipped", { parcel: "attempt 3", express: false }]])
    expect(told[0]?.payload.attempt).toBe(3)
  })

  it("of a step that fails for good, or is skipped then, are dropped", async () => {
    const fail = ({ publish }: { publish: (name: "order.shipped", body: { parcel: string }) => void }) => {
      publish("order.shipped", { parcel: "p" })
      throw new PermanentError("broken")
    }
    const workflow = defineWorkflow({
      name: "fails",
      version: "1.0.0",
      input: z.unknown(),
      events: { "order.shipped": shipped },
    })
      .step("skipped", { skippable: true, handler: fail })
      .step("fails", { dependsOn: ["skipped"], handler: fail })
    const { tasker, published } = await start(workflow)
    const { taskId, state } = await runTask(tasker, workflow, null)
    expect(state).toBe("error")
    expect(await published(taskId)).toEqual([])
  })

  it("of an attempt that ran out of time are dropped, and after that nothing can be published", async () => {
    const gate = createGate()
    let late: unknown
    const workflow = defineWorkflow({ name: "times_out", version: "1.0.0" }).step("ship", {
      ...once,
      timeoutMs: 50,
      events: { "order.shipped": shipped },
      handler: async ({ publish }) => {
        publish("order.shipped", { parcel: "early" })
        await gate.pass()
        try {
          publish("order.shipped", { parcel: "late" })
        } catch (error) {
          late = error
        }
      },
    })
    const { tasker, published } = await start(workflow)
    const { taskId, error } = await runTask(tasker, workflow, null)
    expect(error?.code).toBe("TASKER_STEP_TIMEOUT")
    gate.open()
    await new Promise(setImmediate)
    expect(late).toMatchObject({
      code: "TASKER_EVENT_INVALID",
      message: `event "order.shipped" was published after the attempt of step "ship" had ended`,
    })
    expect(await published(taskId)).toEqual([])
  })

  it("of a transactional step commit with its writes, or not at all", async () => {
    const workflow = defineWorkflow<{ readonly fails: boolean }>({ name: "transaction", version: "1.0.0" }).step(
      "ship",
      {
        ...once,
        transactional: true,
        events: { "order.shipped": shipped },
        handler: async ({ publish, tx, input, taskId }) => {
          await tx.query("update tasker.tasks set tags = array['written'] where task_id = $1", [taskId])
          publish("order.shipped", { parcel: "p" })
          if (input.fails) throw new Error("no")
        },
      },
    )
    const { tasker, published } = await start(workflow)
    const good = await runTask(tasker, workflow, { fails: false })
    expect(await published(good.taskId)).toEqual([["order.shipped", { parcel: "p", express: false }]])
    expect((await tasker.getTask(good)).tags).toEqual(["written"])
    const bad = await runTask(tasker, workflow, { fails: true })
    expect(await published(bad.taskId)).toEqual([])
    expect((await tasker.getTask(bad)).tags).toEqual([])
  })
})

describe("what a handler may publish", () => {
  const { start, sql } = bench(testDatabase("postgres 18", migrate).open)

  it("events that the database refuses make their step fail, and nothing else", async () => {
    await sql("alter table tasker.transitions add constraint cursed check (event ->> 'payload' <> 'cursed') not valid")
    const workflow = defineWorkflow<{ readonly note: string }>({ name: "refused", version: "1.0.0" }).step("ship", {
      ...once,
      events: { "order.noted": {} },
      handler: ({ publish, input }) => publish("order.noted", input.note),
    })
    const { tasker, published } = await start(workflow)
    const { taskId, state, error } = await runTask(tasker, workflow, { note: "cursed" })
    expect({ state, code: error?.code }).toEqual({ state: "error", code: "TASKER_RESULT_INVALID" })
    expect(await published(taskId)).toEqual([])
    const fine = await runTask(tasker, workflow, { note: "fine" })
    expect(await published(fine.taskId)).toEqual([["order.noted", "fine"]])
  })

  it.each([
    [
      "is not declared",
      "order.shiped",
      {},
      /declared neither by step "ship" nor by its workflow/,
      `did you mean "order.shipped"?`,
    ],
    ["is another step's", "order.weighed", 1, /^event "order.weighed" is declared neither/],
    [
      "has another body",
      "order.shipped",
      { parcel: 1 },
      /^the body of event "order.shipped" does not match its schema: parcel: /,
    ],
    [
      "has a body that is not JSON",
      "order.noted",
      () => 1,
      `event "order.noted": expected body to be JSON, got a function at body`,
    ],
    ["has no body", "order.noted", undefined, /got undefined at body$/],
    ["is too large", "order.noted", "x".repeat(200), /^event "order.noted": expected body to be at most \d+ bytes/],
  ])(
    "one that %s is an error in the handler, which no attempt would cure",
    async (_, name, body, message, hint?: string) => {
      let thrown: unknown
      const workflow = defineWorkflow({ name: "invalid", version: "1.0.0", ...soon })
        .step("weigh", { events: { "order.weighed": {} }, handler: () => 1 })
        .step("ship", {
          events: { "order.shipped": shipped, "order.noted": {} },
          handler: ({ publish }) => {
            publish("order.noted", "before")
            try {
              // What the compiler refuses.
              publish(name as "order.noted", body)
            } catch (error) {
              thrown = error
              throw error
            }
          },
        })
      const { tasker, published } = await start(workflow, { limits: { resultBytes: 100 }, replaceWorkflows: true })
      const { taskId, state, error, attempts } = await runTask(tasker, workflow, null)
      expect(thrown).toMatchObject({ code: "TASKER_EVENT_INVALID", message: expect.stringMatching(message) })
      if (hint !== undefined) expect(thrown).toMatchObject({ hint })
      expect({ state, code: error?.code, attempts: attempts.ship }).toEqual({
        state: "error",
        code: "TASKER_EVENT_INVALID",
        attempts: 1,
      })
      expect(await published(taskId)).toEqual([])
    },
  )

  it("a handler that catches the error goes on, and what was right is told", async () => {
    const workflow = defineWorkflow({ name: "catches", version: "1.0.0" }).step("ship", {
      events: { "order.shipped": shipped },
      handler: ({ publish }) => {
        publish("order.shipped", { parcel: "right" })
        try {
          publish("order.shipped", { parcel: 1 } as unknown as { parcel: string })
        } catch {
          return "caught"
        }
        return "missed"
      },
    })
    const { tasker, published } = await start(workflow)
    const { taskId, results } = await runTask(tasker, workflow, null)
    expect(results.ship).toBe("caught")
    expect(await published(taskId)).toEqual([["order.shipped", { parcel: "right", express: false }]])
  })

  it("one attempt publishes a thousand at most, and together they take no more than a result may", async () => {
    const workflow = defineWorkflow<{ readonly count: number; readonly body: string }>({
      name: "many",
      version: "1.0.0",
    }).step("ship", {
      ...once,
      events: { "order.noted": {} },
      handler: ({ publish, input }) => {
        for (let index = 0; index < input.count; index++) publish("order.noted", input.body)
      },
    })
    const { tasker, told } = await start(workflow, { limits: { resultBytes: 5_000 } })
    expect(await runTask(tasker, workflow, { count: 1_000, body: "x" })).toMatchObject({ state: "complete" })
    await expect.poll(() => told.length, { timeout: 10_000 }).toBe(1_000)
    const tooMany = await runTask(tasker, workflow, { count: 1_001, body: "x" })
    expect(tooMany.error?.message).toBe(`expected an attempt of step "ship" to publish at most 1000 events, got more`)
    const tooLarge = await runTask(tasker, workflow, { count: 6, body: "x".repeat(998) })
    expect(tooLarge.error?.message).toBe(
      `expected the events of an attempt of step "ship" to take at most 5000 bytes of JSON together, got more`,
    )
  })

  it("hold what was published, without secrets, whatever becomes of the object", async () => {
    const workflow = defineWorkflow({ name: "snapshot", version: "1.0.0" }).step("ship", {
      events: { "order.noted": {} },
      handler: ({ publish }) => {
        const body = { list: [1], password: "hunter2", iban: "DE00" }
        publish("order.noted", body)
        body.list.push(2)
      },
    })
    const { tasker, published } = await start(workflow, { redact: { keys: ["iban"] } })
    const { taskId } = await runTask(tasker, workflow, null)
    const body = { list: [1], password: "[REDACTED]", iban: "[REDACTED]" }
    expect(await published(taskId)).toEqual([["order.noted", body]])
  })

  it("are published whole, however deep and however many values they hold", async () => {
    let deep: unknown = 1
    for (let level = 0; level < 98; level++) deep = [deep]
    const body = { deep, many: Array.from({ length: 100_001 }, () => 1), password: "hunter2" }
    const workflow = defineWorkflow({ name: "whole", version: "1.0.0" }).step("ship", {
      events: { "order.noted": {} },
      handler: ({ publish }) => publish("order.noted", body),
    })
    const { tasker, published } = await start(workflow)
    const { taskId } = await runTask(tasker, workflow, null)
    expect(await published(taskId)).toEqual([["order.noted", { ...body, password: "[REDACTED]" }]])
  })

  it("of a YAML file are published by its handlers", async () => {
    const text = `
name: from_yaml
version: 1.0.0
events:
  order.shipped: { type: object, required: [parcel], properties: { express: { default: false } } }
steps:
  - name: ship
    events: { order.weighed: { type: integer } }
`
    const ship = ({ publish }: { publish: (name: string, body: unknown) => void }) => {
      publish("order.weighed", 7)
      publish("order.shipped", { parcel: "p" })
    }
    const workflow = parseWorkflow(text, { file: "x.yaml", handlers: { ship } })
    const { tasker, published } = await start(workflow)
    const { taskId } = await untilEnd(tasker, await tasker.createTask(workflow, null))
    expect(await published(taskId)).toEqual([
      ["order.weighed", 7],
      ["order.shipped", { parcel: "p", express: false }],
    ])
  })
})
