import { diag } from "@opentelemetry/api"
import { globalErrorHandler } from "@opentelemetry/core"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { messageOf, reportTrouble, warnBy } from "./report-trouble.ts"

interface Line {
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

let lines: Line[]
let nowMs: number
let stop: () => void

beforeEach(() => {
  lines = []
  nowMs = 0
  stop = reportTrouble(
    (fields, message) => void lines.push({ fields, message }),
    () => nowMs,
  )
})
afterEach(() => stop())

describe("reportTrouble", () => {
  test("tells of what the SDK could not export and of what it warns, and of nothing less", () => {
    globalErrorHandler(new Error("connect ECONNREFUSED"))
    diag.warn("the queue is full")
    diag.error("no room")
    diag.info("hello")
    expect(lines).toEqual([
      { fields: { error: "connect ECONNREFUSED" }, message: "spans could not be exported" },
      { fields: { error: "the queue is full" }, message: "the OpenTelemetry SDK warns" },
      { fields: { error: "no room" }, message: "the OpenTelemetry SDK warns" },
    ])
  })

  test("the same trouble is told once a minute, with how often it occurred", () => {
    for (let time = 0; time < 3; time++) diag.warn("no room")
    expect(lines).toHaveLength(1)
    nowMs = 59_999
    diag.warn("no room")
    expect(lines).toHaveLength(1)
    nowMs = 60_000
    diag.warn("no room")
    expect(lines[1]?.fields).toEqual({ error: "no room", timesSince: 4 })
    nowMs = 120_000
    diag.warn("no room")
    expect(lines[2]?.fields).toEqual({ error: "no room", timesSince: 1 })
  })

  test("trouble that differs in numbers alone is the same", () => {
    diag.warn("Dropped 17 spans because maxQueueSize reached")
    diag.warn("Dropped 8 spans because maxQueueSize reached")
    nowMs = 60_000
    diag.warn("Dropped 9 spans because maxQueueSize reached")
    expect(lines.map(({ fields }) => fields)).toEqual([
      { error: "Dropped 17 spans because maxQueueSize reached" },
      { error: "Dropped 9 spans because maxQueueSize reached", timesSince: 2 },
    ])
  })

  test("remembers a hundred troubles: the one that was told the longest time ago is forgotten", () => {
    const trouble = (index: number) => `trouble ${"x".repeat(index)}`
    for (let index = 0; index < 101; index++) diag.warn(trouble(index))
    expect(lines).toHaveLength(101)
    for (let index = 1; index < 101; index++) diag.warn(trouble(index))
    expect(lines).toHaveLength(101)
    diag.warn(trouble(0))
    expect(lines).toHaveLength(102)
  })

  test("tells nothing after its end", () => {
    stop()
    diag.warn("late")
    expect(lines).toEqual([])
  })
})

test("a logger that throws harms nobody, and gets lines of telemetry without secrets", () => {
  const got: Line[] = []
  const logger = {
    debug() {},
    info() {},
    warn(fields: Line["fields"], message: string) {
      got.push({ fields, message })
      throw new Error("the disk is full")
    },
    error() {},
  }
  warnBy(logger)({ error: "401 for ?api_key=k-1" }, "spans could not be exported")
  expect(got).toEqual([
    {
      fields: { component: "telemetry", error: "401 for ?api_key=[REDACTED]" },
      message: "spans could not be exported",
    },
  ])
})

test.each([
  [new Error("one"), "one"],
  [[new Error("one"), "two"], "one; two"],
  // As Node throws it when no address of a host answers.
  [Object.assign(new AggregateError([new Error("one"), new Error("two")], "none"), { message: "" }), "one; two"],
  [new AggregateError([new Error("one")], "several"), "several"],
  [undefined, "undefined"],
])("the message of %j", (error, message) => {
  expect(messageOf(error)).toBe(message)
})
