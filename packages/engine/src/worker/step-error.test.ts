import { describe, expect, test } from "vitest"
import { createRedactor } from "../core/redact.ts"
import { MAX_MESSAGE_LENGTH, MAX_STACK_LENGTH, stepError } from "./step-error.ts"

const redact = createRedactor({ keys: ["iban"] })

describe("stepError", () => {
  test("takes secrets out of the name, the code, the message and the stack", () => {
    const error = Object.assign(new Error("iban=DE02 https://bob:hunter2@shop.com"), {
      name: "token=abc",
      code: "password=hunter2",
    })
    const stored = stepError(error, redact)
    expect(stored).toMatchObject({
      name: "token=[REDACTED]",
      code: "password=[REDACTED]",
      message: "iban=[REDACTED] https://[REDACTED]@shop.com",
    })
    expect(stored.stack).toMatch(
      /^token=\[REDACTED\]: iban=\[REDACTED\] https:\/\/\[REDACTED\]@shop\.com\n +at .*step-error\.test\.ts/,
    )
  })

  test("takes secrets out of what is thrown and is no error", () => {
    expect(stepError({ user: "bob", password: "hunter2" }, redact).message).toBe(
      '{"user":"bob","password":"[REDACTED]"}',
    )
    expect(stepError("otp: 123456", redact).message).toBe("otp: [REDACTED]")
  })

  test("a secret that the cut would halve is not found out by its first half", () => {
    const error = new Error(`${"x".repeat(MAX_MESSAGE_LENGTH - 20)} amqp://bob:hunter2-${"y".repeat(50)}@host`)
    error.stack = `${"x".repeat(MAX_STACK_LENGTH - 20)} amqp://bob:hunter2-${"y".repeat(50)}@host`
    const { message, stack } = stepError(error, redact)
    expect(message).not.toContain("hunter")
    expect(stack).not.toContain("hunter")
    expect([message.length, stack?.length]).toEqual([MAX_MESSAGE_LENGTH + 1, MAX_STACK_LENGTH + 1])
  })

  test("an error without secrets is stored as it is", () => {
    const error = Object.assign(new TypeError("x is not a function"), { code: 7 })
    expect(stepError(error, redact)).toEqual({
      name: "TypeError",
      code: "7",
      message: "x is not a function",
      stack: error.stack,
    })
  })
})
