import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { PassThrough } from "node:stream"
import { pino } from "pino"
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest"
import type { Database } from "./core/database.ts"
import { defineWorkflow } from "./core/define-workflow.ts"
import { testDatabase } from "./database/test-database.ts"
import { migrate } from "./store/migrate.ts"
import { callApi } from "./http/call-api.ts"
import { createLogger } from "./logging/create-logger.ts"
import { readLines } from "./logging/test-lines.ts"
import { createTasker, type Tasker, type TaskerOptions } from "./tasker.ts"
import { runTask } from "./testing.ts"

// Each stands for what a user would not like to read in a log.
const PASSWORD = "hunter2-password"
const TOKEN = "t0ken-of-bob"
const IBAN = "DE02120300000000202051"
const SECRETS = [PASSWORD, TOKEN, IBAN]

const careless = defineWorkflow<{ url: string }>({ name: "careless", version: "1.0.0" })
  .step("says_it", {
    maxAttempts: 1,
    handler: ({ log }) => {
      const account = { iban: IBAN, owner: { password: PASSWORD } }
      for (const level of ["debug", "info", "warn", "error"] as const)
        log[level]({ account }, `Bearer ${TOKEN} was used`)
      log.error({ error: Object.assign(new Error(`password=${PASSWORD}`), account) }, "no")
    },
  })
  .step("throws_it", {
    maxAttempts: 1,
    handler: () => {
      const cause = new Error(`{"token":"${TOKEN}"}`)
      throw Object.assign(new Error(`iban: ${IBAN} of postgres://bob:${PASSWORD}@db/x`, { cause }), {
        code: `token=${TOKEN}`,
      })
    },
  })
  .step("throws_no_error", {
    maxAttempts: 1,
    handler: (): void => {
      // Whoever has no linter can do this.
      const thrown: unknown = { password: PASSWORD, iban: IBAN }
      throw thrown
    },
  })
  .step("calls_it", {
    maxAttempts: 1,
    handler: async (step) => {
      await callApi(step, {
        url: `${step.input.url}/accounts`,
        query: { access_token: TOKEN },
        headers: { authorization: `Bearer ${TOKEN}` },
        body: { password: PASSWORD },
      })
    },
  })

describe("no secret is", () => {
  let opened: Awaited<ReturnType<ReturnType<typeof testDatabase>["open"]>>
  let database: Database
  let server: Server
  let url: string
  let tasker: Tasker | undefined

  beforeAll(async () => {
    opened = await testDatabase("postgres 18", migrate).open()
    ;({ database } = opened)
    // A service that is careless too: it repeats what it was sent, and says what it knows.
    server = createServer((request, response) => {
      response.statusCode = 400
      request.setEncoding("utf8")
      let body = ""
      request.on("data", (text: string) => (body += text))
      request.on("end", () => response.end(`${request.url} ${request.headers.authorization} ${body} iban=${IBAN}`))
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    // It listens on TCP.
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(async () => await tasker?.close())
  afterAll(async () => {
    server.close()
    await opened.close()
  })

  async function runCareless(options: TaskerOptions): Promise<string> {
    tasker = await createTasker({ url: opened.url, workflows: [careless], ...options })
    await tasker.startWorker()
    const { taskId } = await runTask(tasker, careless, { url })
    return taskId
  }

  function expectNoSecret(text: string): void {
    for (const secret of SECRETS) expect(text).not.toContain(secret)
  }

  test.each([
    ["the engine's own", (stream: PassThrough) => createLogger({ destination: stream, level: "debug" })],
    ["the user's own pino", (stream: PassThrough) => pino({ level: "debug" }, stream)],
  ])("written to the log by %s logger", async (_whose, loggerOn) => {
    const stream = new PassThrough()
    await runCareless({ logger: loggerOn(stream), redact: { keys: ["iban"] } })
    const log = String(stream.read())
    expect(log.split("[REDACTED]").length).toBeGreaterThan(12)
    expectNoSecret(log)
  })

  test("hidden that the user allows, nor masked twice, in what the engine's own logger writes", async () => {
    const stream = new PassThrough()
    const logger = createLogger({ destination: stream, level: "debug", redact: { keys: ["nick_name"], mask: "###" } })
    const telling = defineWorkflow({ name: "telling", version: "1.0.0" }).step("tell", {
      maxAttempts: 1,
      handler: ({ log }) => {
        log.info({ email: "bob@shop.com", password: PASSWORD, iban: IBAN, nickName: "bob" }, `token=${TOKEN}`)
        throw new Error(`email=bob@shop.com iban=${IBAN} nick-name=bob`)
      },
    })
    tasker = await createTasker({
      url: opened.url,
      workflows: [telling],
      logger,
      redact: { allow: ["email"], mask: "***", keys: ["iban"] },
    })
    await tasker.startWorker()
    const { taskId } = await runTask(tasker, telling, null)
    await tasker.close()
    logger.info({ email: "bob@shop.com", iban: IBAN }, "said without Tasker")
    const lines = readLines(String(stream.read()))
    const said = lines.find(({ component }) => component === "handler")
    const hidden = { password: "***", iban: "***", nickName: "***", message: "token=***" }
    expect(said).toMatchObject({ taskId, email: "bob@shop.com", ...hidden })
    const failed = lines.find(({ event }) => event === "step.failed")
    expect(failed).toMatchObject({ taskId, error: { message: "email=bob@shop.com iban=*** nick-name=***" } })
    expect(lines.at(-1)).toMatchObject({ email: "###", iban: IBAN })
  })

  test("stored with a step, or answered", async () => {
    const taskId = await runCareless({ logger: createLogger({ level: "silent" }), redact: { keys: ["iban"] } })
    const steps = (await tasker?.getSteps(taskId)) ?? []
    expect(steps.map(({ name, error }) => [name, error?.code, error?.message])).toEqual([
      ["says_it", undefined, undefined],
      ["throws_it", "token=[REDACTED]", "iban: [REDACTED] of postgres://bob:[REDACTED]@db/x"],
      ["throws_no_error", null, '{"password":"[REDACTED]","iban":"[REDACTED]"}'],
      [
        "calls_it",
        "HTTP_400",
        expect.stringMatching(/^POST http\S+\/accounts answered 400 Bad Request: .*"password":"\[REDACTED\]"/),
      ],
    ])
    expect(steps[1]?.error?.stack).toContain("redaction.test.ts")
    expectNoSecret(JSON.stringify([steps, await tasker?.getHistory(taskId), await tasker?.getExecutionContext(taskId)]))
    for (const table of ["steps", "transitions", "step_records"]) {
      const rows = await database.query({ text: `select to_jsonb(found) as row from tasker.${table} as found` })
      expect(rows.length).toBeGreaterThan(0)
      expectNoSecret(JSON.stringify(rows))
    }
  })

  test("hidden that the user allows, and the mask is the user's", async () => {
    const taskId = await runCareless({
      logger: createLogger({ level: "silent" }),
      redact: { allow: ["password"], mask: "***" },
    })
    const steps = (await tasker?.getSteps(taskId)) ?? []
    expect(steps[2]?.error?.message).toBe(`{"password":"${PASSWORD}","iban":"${IBAN}"}`)
    expect(steps[1]?.error?.code).toBe("token=***")
  })
})
