import { describe, expect, test } from "vitest"
import { createRedactor } from "../redact.ts"
import { eventError } from "./event-error.ts"

describe("eventError", () => {
  test("says the name, the code and the message of an error, and what else was thrown", () => {
    expect(eventError(Object.assign(new TypeError("no"), { code: 7 }))).toEqual({
      name: "TypeError",
      code: "7",
      message: "no",
    })
    expect(eventError("no").message).toBe("no")
    expect(eventError([1, 2]).message).toBe("a list of 2")
  })

  test("is text that jsonb takes, whatever was thrown", () => {
    const message = `${"x".repeat(1_999)}😀 and more`
    const { name, ...rest } = eventError(Object.assign(new Error(message), { name: "a\u0000b", code: "\uD800" }))
    expect(name).toBe("a\uFFFDb")
    expect(rest).toEqual({ code: "\uFFFD", message: `${"x".repeat(1_999)}\uFFFD…` })
    expect(eventError({ [Symbol.toStringTag]: "a\u0000b" }).message).toBe("a a\uFFFDb")
  })

  test("a secret that the cut would halve is not found out by its first half", () => {
    const message = `${"x".repeat(1_980)} amqp://bob:hunter2-${"y".repeat(50)}@host`
    expect(eventError(new Error(message), createRedactor()).message).not.toContain("hunter")
  })

  test("of what cannot be read it says so", () => {
    const error = new Error("no")
    Object.defineProperty(error, "message", {
      get() {
        throw new Error("never")
      },
    })
    expect(eventError(error).message).toBe("something was thrown that cannot be read")
  })
})
