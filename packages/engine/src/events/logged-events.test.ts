import { describe, expect, test } from "vitest"
import { EVENT_CATALOGUE } from "../core/events/catalogue.ts"
import type { EventName, TaskerEvent } from "../core/events/event-map.ts"
import { type EventSink, silentSink } from "../core/events/event-sink.ts"
import { type Logger, type LogLevel, LOG_LEVELS, silentLogger } from "../core/logger.ts"
import { createRedactor } from "../core/redact.ts"
import { EVENT_LINES } from "./event-lines.ts"
import { loggedEvents } from "./logged-events.ts"

const task = { taskId: "1", namespace: "shop", workflow: "order", version: "1.0.0", correlationId: "c-1" }
const change = {
  ...task,
  from: null,
  to: "pending",
  cause: null,
  by: null,
  reason: null,
  workerId: null,
  durationMs: null,
} as const

function listingLogger(level: LogLevel, lines: unknown[]): Logger {
  const isOn = (asked: LogLevel) => LOG_LEVELS.indexOf(asked) >= LOG_LEVELS.indexOf(level)
  const at = (own: LogLevel) => (fields: object, message: string) => void lines.push([own, fields, message])
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), isLevelEnabled: isOn }
}

function listingSink(wanted: readonly string[], told: unknown[]): EventSink {
  return {
    wants: (name) => wanted.includes(name),
    publish: (name, payload) => void told.push([name, payload]),
    deliver: (event) => void told.push(event),
    batch: (work) => work(),
  }
}

describe("loggedEvents", () => {
  test("writes an event as a line, without what it does not know, and passes it on", () => {
    const lines: unknown[] = []
    const told: unknown[] = []
    const events = loggedEvents(listingSink(["task.completed"], told), listingLogger("debug", lines), createRedactor())
    const payload = { ...change, from: "in_progress", to: "complete", workerId: 7, durationMs: 12.345678 } as const
    events.publish("task.completed", payload)
    const fields = {
      component: "task",
      event: "task.completed",
      ...task,
      from: "in_progress",
      to: "complete",
      workerId: 7,
    }
    expect(lines).toEqual([["debug", { ...fields, durationMs: 12.346 }, "the task is complete"]])
    expect(told).toEqual([["task.completed", payload]])
    const event: TaskerEvent = { name: "task.completed", at: new Date(0), payload }
    events.deliver(event)
    expect([lines[1], told[1]]).toEqual([lines[0], event])
  })

  test("takes secrets out of what it writes and passes on", () => {
    const lines: unknown[] = []
    const told: unknown[] = []
    const events = loggedEvents(listingSink([], told), listingLogger("debug", lines), createRedactor())
    const payload = { ...change, reason: "password=hunter2" } as const
    events.publish("task.cancelled", payload)
    events.deliver({ name: "task.cancelled", at: new Date(0), payload })
    expect(JSON.stringify([lines, told])).not.toContain("hunter2")
    expect(JSON.stringify([lines, told]).split("password=[REDACTED]")).toHaveLength(5)
  })

  test.each(["debug", "info", "warn", "error"] as const)(
    "at level %s wants and writes just what is to be written",
    (level) => {
      const lines: unknown[] = []
      const events = loggedEvents(silentSink, listingLogger(level, lines), createRedactor())
      // Its keys are the names.
      for (const name of Object.keys(EVENT_CATALOGUE) as EventName[]) {
        const line = EVENT_LINES[name]
        const isWritten = line !== null && LOG_LEVELS.indexOf(line.level) >= LOG_LEVELS.indexOf(level)
        expect([name, events.wants(name)]).toEqual([name, isWritten])
        lines.length = 0
        events.publish(name, change)
        expect([name, lines.length]).toEqual([name, isWritten ? 1 : 0])
      }
    },
  )

  test.each(["correlation_id", "workflow", "worker_id"])("hides what is plain to most, where %s is a secret", (key) => {
    const lines: unknown[] = []
    const told: unknown[] = []
    const events = loggedEvents(listingSink([], told), listingLogger("debug", lines), createRedactor({ keys: [key] }))
    const payload = { ...change, workerId: 7 }
    events.publish("task.completed", payload)
    events.deliver({ name: "task.completed", at: new Date(0), payload })
    expect(JSON.stringify([lines, told]).split("[REDACTED]")).toHaveLength(5)
  })

  test("searches only what somebody may have written for secrets", () => {
    const searched: unknown[] = []
    const search = <T>(value: T): T => {
      // A text is a correlation id, looked at by itself.
      if (typeof value === "object") searched.push(value)
      return value
    }
    const events = loggedEvents(listingSink([], []), silentLogger, Object.assign(search, { json: search }))
    const plain = { ...change, correlationId: task.taskId }
    // The first time it looks whether a plain field is a secret to somebody.
    events.publish("task.completed", plain)
    searched.length = 0
    events.publish("task.completed", plain)
    events.deliver({ name: "task.completed", at: new Date(0), payload: plain })
    expect(searched).toEqual([])
    const withReason = { ...plain, reason: "password=hunter2" }
    events.publish("task.cancelled", withReason)
    events.publish("task.completed", change)
    const error = { name: "Error", code: null, message: "no" }
    events.publish("worker.disconnected", { workerId: 1, worker: "w", error })
    expect(searched).toEqual([withReason, expect.objectContaining({ error })])
  })

  test("at the default level, nothing is written of tasks and steps that go well or fail", () => {
    const events = loggedEvents(silentSink, listingLogger("warn", []), createRedactor())
    const wanted = Object.keys(EVENT_CATALOGUE).filter((name) => events.wants(name as EventName)) // its keys are the names
    const own = ["step.fenced", "workflow.task_state_unclear", "worker.lease_lost"]
    expect(wanted).toEqual([...own, "subscription.failed", "subscription.skipped"])
  })

  test("wants what subscribers want, and what handlers publish is theirs alone", () => {
    const lines: unknown[] = []
    const told: unknown[] = []
    const events = loggedEvents(listingSink(["step.handle"], told), listingLogger("debug", lines), createRedactor())
    expect([events.wants("step.handle"), events.wants("step.before_handle")]).toEqual([true, false])
    const own = {
      name: "order.shipped",
      at: new Date(0),
      payload: { body: { password: "x" } },
    } as unknown as TaskerEvent
    events.deliver(own)
    expect([lines, told]).toEqual([[], [{ ...own, payload: { body: { password: "[REDACTED]" } } }]])
  })

  test("a silent logger wants nothing", () => {
    const events = loggedEvents(silentSink, silentLogger, createRedactor())
    expect(Object.keys(EVENT_CATALOGUE).filter((name) => events.wants(name as EventName))).toEqual([]) // as above
  })
})
