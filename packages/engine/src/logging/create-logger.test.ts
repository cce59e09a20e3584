import { once } from "node:events"
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { afterAll, describe, expect, test, vi } from "vitest"
import { LOG_LEVELS } from "../core/logger.ts"
import { createLogger, type LoggerOptions } from "./create-logger.ts"
import { MAX_WAITING_BYTES, openDestination } from "./log-destination.ts"
import { readLines } from "./test-lines.ts"

const folder = mkdtempSync(join(tmpdir(), "tasker-log-"))
afterAll(() => rmSync(folder, { recursive: true }))

/** A logger, and what it wrote. */
function testedLogger(options: LoggerOptions) {
  const stream = new PassThrough()
  const logger = createLogger({ destination: stream, ...options })
  return { logger, written: () => String(stream.read() ?? "") }
}

describe("createLogger", () => {
  test("writes one JSON object a line, with the fields that every line has", () => {
    const { logger, written } = testedLogger({})
    logger.info({ taskId: "1", durationMs: 1.5 }, "said")
    const line = written()
    expect(line.endsWith("}\n")).toBe(true)
    expect(JSON.parse(line)).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      pid: process.pid,
      hostname: expect.any(String),
      taskerVersion: expect.stringMatching(/^\d+\.\d+\.\d+/),
      taskId: "1",
      durationMs: 1.5,
      message: "said",
    })
  })

  test("a field with the name of one that every line has is kept beside it", () => {
    const { logger, written } = testedLogger({})
    logger.info({ level: "x", time: 0, pid: -1, hostname: "h", taskerVersion: "v", message: "m" }, "said")
    const text = written()
    expect(text.split('"level":')).toHaveLength(2)
    expect(JSON.parse(text)).toMatchObject({
      level: "info",
      pid: process.pid,
      message: "said",
      level_: "x",
      message_: "m",
    })
  })

  test.each([
    [undefined, ["info", "warn", "error"]],
    ["debug", ["debug", "info", "warn", "error"]],
    ["error", ["error"]],
    ["silent", []],
  ] as const)("of level %s writes %j", (level, levels) => {
    const { logger, written } = testedLogger({ level })
    for (const each of LOG_LEVELS) logger[each]({}, each)
    expect(readLines(written()).map((line) => line["message"])).toEqual(levels)
    expect(LOG_LEVELS.filter((each) => logger.isLevelEnabled?.(each))).toEqual(levels)
  })

  test.each(["json", "pretty"] as const)("writes errors and odd values as %s, and no secret", (format) => {
    const { logger, written } = testedLogger({ format, redact: { keys: ["iban"] } })
    const cycle: Record<string, unknown> = { big: 1n, iban: "DE02" }
    cycle["self"] = cycle
    const error = Object.assign(new Error("token=abc", { cause: new Error("otp: 123456") }), {
      code: "E",
      password: "hunter2",
    })
    logger.error({ error, err: error, cycle, at: new Date(0), list: new Set([1]) }, "https://bob:hunter2@shop.com")
    const text = written()
    for (const secret of ["abc", "123456", "hunter2", "DE02"]) expect(text).not.toContain(secret)
    for (const shown of [
      "create-logger.test.ts",
      "1970-01-01",
      "[CIRCULAR]",
      "https://[REDACTED]@shop.com",
      "token=[REDACTED]",
    ])
      expect(text).toContain(shown)
    if (format === "json") expect(JSON.parse(text).error).toMatchObject({ type: "Error", code: "E" })
  })

  test("writes pretty lines without what all lines have alike, and colours only when asked to", () => {
    const plain = testedLogger({ format: "pretty" })
    plain.logger.warn({ taskId: "1" }, "said")
    expect(plain.written()).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: said \{"taskId":"1"\}\n$/)
    const colored = testedLogger({ format: "pretty", colors: true })
    colored.logger.warn({}, "said")
    expect(colored.written()).toContain("\u001B[33mWARN\u001B[39m")
  })

  test("appends to a file, whose folder it makes, and has written a line when it returns", () => {
    const path = join(folder, "a", "b", "tasker.log")
    for (const message of ["one", "two"]) createLogger({ destination: path }).info({}, message)
    expect(readLines(readFileSync(path, "utf8")).map((line) => line["message"])).toEqual(["one", "two"])
  })

  test("refuses options that it does not know, or that are out of range", () => {
    // A JavaScript user can pass anything.
    const options = {
      format: "xml",
      level: "trace",
      destination: -1,
      colours: true,
      colors: 1,
      redact: { key: [] },
    } as unknown
    expect(() => createLogger(options as LoggerOptions)).toThrow(
      expect.objectContaining({
        code: "TASKER_CONFIG_INVALID",
        details: {
          problems: ["format", "level", "destination", "colours", "colors", "redact"].map((path): unknown =>
            expect.objectContaining({ path }),
          ),
        },
      }),
    )
  })

  test.each([join(folder, "not\0possible"), folder, 987_654])(
    "refuses the destination %j, which it cannot open",
    (destination) => {
      expect(() => createLogger({ destination })).toThrow(expect.objectContaining({ code: "TASKER_CONFIG_INVALID" }))
    },
  )
})

describe("openDestination", () => {
  test("a stream that fails or has ended takes no more lines, and does not end the process", async () => {
    const failing = new PassThrough()
    const { logger } = { logger: createLogger({ destination: failing }) }
    failing.destroy(new Error("broken"))
    await new Promise(setImmediate)
    logger.info({}, "said")
    const ended = new PassThrough()
    ended.end()
    createLogger({ destination: ended }).info({}, "said")
    await new Promise(setImmediate)
  })

  test("a stream that is slow loses lines, and says how many once it has room", async () => {
    const slow = new PassThrough()
    const logger = createLogger({ destination: slow })
    const text = "x".repeat(1_000)
    for (let count = 0; count < (2 * MAX_WAITING_BYTES) / 1_000; count++) logger.info({ text }, "said")
    expect(slow.writableLength).toBeLessThan(MAX_WAITING_BYTES + 10_000)
    let read = ""
    slow.setEncoding("utf8").on("data", (chunk: string) => (read += chunk))
    while (slow.writableLength > 0) await once(slow, "drain")
    logger.info({}, "said")
    while (!read.includes('"dropped":')) await once(slow, "data")
    const lines = readLines(read)
    const { dropped, level } = lines.at(-1) ?? {}
    expect(level).toBe("warn")
    expect(lines.length - 2 + Number(dropped)).toBe(Math.ceil((2 * MAX_WAITING_BYTES) / 1_000))
  })

  test("knows a terminal, and that NO_COLOR means no colours", () => {
    // A terminal of its own: whoever has its other end would see what is written.
    const terminal = openSync("/dev/ptmx", "r+")
    // Node looks at it, too: few CI systems show colours.
    vi.stubEnv("CI", undefined)
    vi.stubEnv("FORCE_COLOR", undefined)
    vi.stubEnv("NODE_DISABLE_COLORS", undefined)
    vi.stubEnv("NO_COLOR", undefined)
    vi.stubEnv("TERM", "xterm-256color")
    const look = () => {
      const { isTerminal, hasColors } = openDestination(terminal, () => {})
      return { isTerminal, hasColors }
    }
    expect(look()).toEqual({ isTerminal: true, hasColors: true })
    vi.stubEnv("NO_COLOR", "1")
    expect(look()).toEqual({ isTerminal: true, hasColors: false })
    vi.unstubAllEnvs()
    const { isTerminal, hasColors } = openDestination(join(folder, "no-terminal"), () => {})
    expect({ isTerminal, hasColors }).toEqual({ isTerminal: false, hasColors: false })
  })
})
