import { expect, test } from "vitest"
import { guardedLogger } from "./guarded-logger.ts"
import { LOG_LEVELS, type Logger } from "./logger.ts"
import { createRedactor } from "./redact.ts"

function listingLogger(lines: unknown[]): Logger {
  const at = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message])
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") }
}

test("takes secrets out of the fields and the message of every level", () => {
  const lines: unknown[] = []
  const logger = guardedLogger(listingLogger(lines), createRedactor({ keys: ["iban"] }))
  for (const level of LOG_LEVELS) logger[level]({ user: { iban: "DE02", password: "x" }, n: 1 }, "token=abc")
  const fields = { user: { iban: "[REDACTED]", password: "[REDACTED]" }, n: 1 }
  expect(lines).toEqual(LOG_LEVELS.map((level) => [level, fields, "token=[REDACTED]"]))
})

test("makes no line of a level that is off", () => {
  const lines: unknown[] = []
  let level = "warn"
  const inner: Logger = { ...listingLogger(lines), isLevelEnabled: (asked) => asked === level }
  let redactedCount = 0
  const logger = guardedLogger(inner, (value) => {
    redactedCount += 1
    return value
  })
  logger.debug({}, "one")
  expect([lines, redactedCount, logger.isLevelEnabled?.("debug")]).toEqual([[], 0, false])
  level = "debug"
  logger.debug({}, "two")
  expect([lines, redactedCount, logger.isLevelEnabled?.("debug")]).toEqual([[["debug", {}, "two"]], 2, true])
})

test("a logger that throws costs its line, and nothing else", () => {
  const fail = (): never => {
    throw new Error("no")
  }
  const broken = guardedLogger({ debug: fail, info: fail, warn: fail, error: fail }, createRedactor())
  for (const level of LOG_LEVELS) expect(broken[level]({}, "said")).toBeUndefined()
  const odd = guardedLogger(
    { debug: fail, info: fail, warn: fail, error: fail, isLevelEnabled: fail },
    createRedactor(),
  )
  expect(odd.isLevelEnabled?.("info")).toBe(false)
  expect(odd.info({}, "said")).toBeUndefined()
})

test("a method of a class keeps its `this`", () => {
  class Listing {
    readonly lines: string[] = []
    isLevelEnabled() {
      return this.lines.length < 1
    }
    debug(_fields: object, message: string) {
      this.lines.push(message)
    }
    info(_fields: object, message: string) {
      this.lines.push(message)
    }
    warn(_fields: object, message: string) {
      this.lines.push(message)
    }
    error(_fields: object, message: string) {
      this.lines.push(message)
    }
  }
  const listing = new Listing()
  const logger = guardedLogger(listing, createRedactor())
  for (const level of LOG_LEVELS) logger[level]({}, level)
  expect(listing.lines).toEqual(["debug"])
})
