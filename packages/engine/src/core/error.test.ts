import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import {
  ERROR_CODES,
  isPermanentError,
  isRetryableError,
  isTaskerError,
  PermanentError,
  RetryableError,
  TaskerError,
} from "./error.ts"

describe(TaskerError, () => {
  test("carries code, message, hint, cause and details", () => {
    const cause = new Error("underneath")
    const error = new TaskerError("TASKER_TASK_NOT_FOUND", "no task", { hint: "look", cause, details: { taskId: "1" } })

    expect(error).toMatchObject({
      name: "TaskerError",
      code: "TASKER_TASK_NOT_FOUND",
      message: "no task",
      hint: "look",
      cause,
      details: { taskId: "1" },
    })
  })

  test("has no cause, no hint and empty details when none are given", () => {
    const error = new TaskerError("TASKER_CLOSED", "closed")

    expect("cause" in error).toBe(false)
    expect(error.hint).toBeUndefined()
    expect(error.details).toEqual({})
  })
})

describe(isTaskerError, () => {
  test("knows an error by its brand, and by its code when one is given", () => {
    const error: unknown = new TaskerError("TASKER_CLOSED", "closed")

    expect(isTaskerError(error)).toBe(true)
    expect(isTaskerError(error, "TASKER_CLOSED")).toBe(true)
    expect(isTaskerError(error, "TASKER_INTERNAL")).toBe(false)
  })

  test("knows an error of another copy of this package", () => {
    expect(isTaskerError({ [Symbol.for("tasker.error")]: true, code: "TASKER_CLOSED" }, "TASKER_CLOSED")).toBe(true)
  })

  test.each([null, undefined, "TASKER_CLOSED", new Error("no"), { code: "TASKER_CLOSED" }])("%s is none", (error) => {
    expect(isTaskerError(error)).toBe(false)
  })
})

test("a handler says that another attempt may help, and when", () => {
  const cause = new Error("429")
  const error = new RetryableError("busy", { retryAfterMs: 500, code: "too_many", cause })

  expect(error).toMatchObject({ name: "RetryableError", retryAfterMs: 500, code: "too_many", cause })
  expect(new RetryableError("busy").retryAfterMs).toBeUndefined()
  expect([isRetryableError(error), isPermanentError(error), isTaskerError(error)]).toEqual([true, false, false])
})

test("a handler says that no attempt will help", () => {
  const cause = new Error("402")
  const error = new PermanentError("declined", { code: "card_declined", cause })

  expect(error).toMatchObject({ name: "PermanentError", code: "card_declined", cause })
  expect(new PermanentError("declined").code).toBeUndefined()
  expect([isRetryableError(error), isPermanentError(error)]).toEqual([false, true])
})

describe("ERROR_CODES", () => {
  const codes = Object.keys(ERROR_CODES)

  test("is sorted, and every status is one of an HTTP error", () => {
    expect(codes).toEqual(codes.toSorted())
    for (const { status } of Object.values(ERROR_CODES)) expect(String(status)).toMatch(/^[45]\d\d$/)
  })

  test("meanings and actions start in lower case and end without a full stop", () => {
    for (const entry of Object.values(ERROR_CODES)) {
      const texts = "action" in entry ? [entry.meaning, entry.action] : [entry.meaning]
      for (const text of texts) expect(text).toMatch(/^(?:[a-z]|PostgreSQL|Tasker).*[^.]$/)
    }
  })

  test("is what docs/reference/errors.md lists, both ways", () => {
    const page = readFileSync(new URL("../../../../docs/reference/errors.md", import.meta.url), "utf8")
    const sections = page.split(/^## /m).slice(1)

    expect(sections.map((section) => section.split("\n", 1)[0])).toEqual(codes)
    for (const [index, { status, retryable }] of Object.values(ERROR_CODES).entries()) {
      expect(sections[index]).toContain(`Status ${status}, ${retryable ? "retryable" : "not retryable"}.`)
    }
  })
})
