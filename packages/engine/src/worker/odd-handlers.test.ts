import { expect, test } from "vitest"
import { defineWorkflow } from "../core/define-workflow.ts"
import { testDatabase } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import { createTestTasker, runTask } from "../testing.ts"

function unreadable(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

test.each<[string, () => unknown, string]>([
  ["an error whose name is a number", () => Object.assign(new Error("odd"), { name: 42 }), "odd"],
  ["an error whose message is an object", () => Object.assign(new Error("odd"), { message: { a: 1 } }), '{"a":1}'],
  ["something that cannot be read", unreadable, "the handler threw something that cannot be read"],
])("a handler that throws %s fails its step, not the process", async (_what, create, message) => {
  const workflow = defineWorkflow({ name: "odd", version: "1.0.0" }).step("only", {
    maxAttempts: 1,
    handler: (): string => {
      throw create()
    },
  })
  const tasker = await createTestTasker({ workflows: [workflow] })
  expect(await runTask(tasker, workflow, {})).toMatchObject({ state: "error", error: { message } })
  await tasker.close()
})

test("a transactional handler that reaches nobody has its own error stored", async () => {
  const workflow = defineWorkflow({ name: "unreachable", version: "1.0.0" }).step("only", {
    transactional: true,
    maxAttempts: 1,
    handler: (): string => {
      throw Object.assign(new Error("the bank is down"), { code: "ECONNREFUSED" })
    },
  })
  const opened = await testDatabase("postgres 18", migrate).open()
  for (const url of ["pglite:memory", opened.url]) {
    const tasker = await createTestTasker({ url, workflows: [workflow] })
    const { error } = await runTask(tasker, workflow, {})
    expect(error).toMatchObject({ code: "ECONNREFUSED", message: "the bank is down" })
    await tasker.close()
  }
  await opened.close()
})

test("a handler that copies its context has all of it in the copy, and asks for its signal and log when it wants", async () => {
  const workflow = defineWorkflow({ name: "copies", version: "1.0.0" }).step("only", {
    handler: (context) => {
      const { signal, log, publish, ...rest } = { ...context }
      log.info({}, "copied")
      return { ...rest, isAborted: signal.aborted, same: signal === context.signal, canPublish: typeof publish }
    },
  })
  const tasker = await createTestTasker({ workflows: [workflow] })
  const { taskId, results } = await runTask(tasker, workflow, { number: 1 })
  expect(results.only).toEqual({
    input: { number: 1 },
    results: {},
    attempt: 1,
    maxAttempts: 3,
    taskId,
    stepName: "only",
    workflow: { namespace: "default", name: "copies", version: "1.0.0" },
    correlationId: taskId,
    idempotencyKey: `${taskId}:only`,
    isAborted: false,
    same: true,
    canPublish: "function",
  })
  await tasker.close()
})
