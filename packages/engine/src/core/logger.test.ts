import { expect, test } from "vitest"
import { boundLogger, isLogged, LOG_LEVELS, type Logger, type LogLevel, silentLogger } from "./logger.ts"

function listingLogger(lines: unknown[], level?: LogLevel): Logger {
  const at = (own: LogLevel) => (fields: object, message: string) => void lines.push([own, fields, message])
  const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") }
  return level === undefined ? logger : { ...logger, isLevelEnabled: (asked) => asked === level }
}

test("the silent logger has the four methods, and says nothing", () => {
  for (const level of LOG_LEVELS) {
    expect(silentLogger[level]({ taskId: "1" }, "said")).toBeUndefined()
    expect(isLogged(silentLogger, level)).toBe(false)
  }
})

test("a logger that does not tell its level is given every line", () => {
  expect(LOG_LEVELS.filter((level) => isLogged(listingLogger([]), level))).toEqual(LOG_LEVELS)
  expect(LOG_LEVELS.filter((level) => isLogged(listingLogger([], "warn"), level))).toEqual(["warn"])
})

test("a bound logger adds its fields to those of a line, which may say more, but for the fixed ones", () => {
  const lines: unknown[] = []
  const logger = boundLogger(listingLogger(lines, "warn"), { step: "a", attempt: 1 }, { taskId: "1" })
  for (const level of LOG_LEVELS) logger[level]({ attempt: 2, taskId: "2", own: true }, level)
  const fields = { step: "a", attempt: 2, taskId: "1", own: true }
  expect(lines).toEqual(LOG_LEVELS.map((level) => [level, fields, level]))
  boundLogger(listingLogger(lines), { step: "b" }).info({}, "said")
  expect(lines.at(-1)).toEqual(["info", { step: "b" }, "said"])
  expect(LOG_LEVELS.filter((level) => isLogged(logger, level))).toEqual(["warn"])
})
