import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, describe, expect, test } from "vitest"
import { readLines } from "./test-lines.ts"

const MODULE = fileURLToPath(new URL("../../dist/logging/create-logger.js", import.meta.url))

const children: ChildProcess[] = []
// One that a failed test has left.
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL")
})

/** A process that logs to `destination`, as built in `dist/`; its standard output is a pipe. */
function startLogging(destination: string, code: string): ChildProcess {
  const program = `
    import { createLogger } from ${JSON.stringify(MODULE)}
    const logger = createLogger({ destination: ${destination} })
    const turn = () => new Promise(setImmediate)
    ${code}`
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  })
  children.push(child)
  return child
}

describe("a process whose log", () => {
  test("goes to a pipe that is closed goes on, and ends well", async () => {
    const child = startLogging(
      "1",
      `process.once("message", async () => {
        for (let index = 0; index < 100; index++) { logger.info({ index }, "said"); await turn() }
        process.send("still here")
        process.disconnect()
      })
      process.send("ready")`,
    )
    await once(child, "message")
    child.stdout?.destroy()
    const ended = once(child, "exit")
    child.send("go")
    expect(await once(child, "message")).toEqual(["still here", undefined])
    expect(await ended).toEqual([0, null])
  })

  test("goes to a disk that is full goes on, and ends well", async () => {
    const child = startLogging(
      '"/dev/full"',
      `for (let index = 0; index < 100; index++) { logger.info({ index }, "said"); await turn() }
      process.send("still here", () => process.exit())`,
    )
    const ended = once(child, "exit")
    expect(await once(child, "message")).toEqual(["still here", undefined])
    expect(await ended).toEqual([0, null])
  })

  test("is read by nobody does not wait, and the reader that comes back gets whole lines and how many it missed", async () => {
    const child = startLogging(
      "1",
      `const text = "x".repeat(1_000)
      for (let index = 0; index < 20_000; index++) { logger.info({ index, text }, "said"); if (index % 100 === 0) await turn() }
      process.send("still here")
      await new Promise((resolve) => process.once("message", resolve))
      while (process.stdout.writableLength > 0) await turn()
      logger.info({ index: 20_000 }, "said")
      process.disconnect()`,
    )
    expect(await once(child, "message")).toEqual(["still here", undefined])
    let read = ""
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (read += text))
    child.send("read")
    await once(child, "close")
    const lines = readLines(read)
    const dropped = Number(lines.at(-1)?.["dropped"])
    expect(dropped).toBeGreaterThan(10_000)
    expect(lines.filter((line) => "index" in line).length + dropped).toBe(20_001)
  })

  // As many as wait in the pipe for a reader that gets no CPU meanwhile; Linux takes 278 of them.
  const count = 100

  test.each(["1", '"LOG"'])(
    "goes to %s has every line, also when the process is killed at once",
    async (destination) => {
      const folder = mkdtempSync(join(tmpdir(), "tasker-log-"))
      const path = join(folder, "tasker.log")
      const child = startLogging(
        destination.replace("LOG", path),
        `for (let index = 0; index < ${count}; index++) logger.info({ index }, "said")
      process.kill(process.pid, "SIGKILL")`,
      )
      let read = ""
      child.stdout?.setEncoding("utf8").on("data", (text: string) => (read += text))
      expect(await once(child, "close")).toEqual([null, "SIGKILL"])
      const lines = readLines(destination === "1" ? read : readFileSync(path, "utf8"))
      expect(lines.map((line) => line["index"])).toEqual(Array.from({ length: count }, (_line, index) => index))
      rmSync(folder, { recursive: true })
    },
  )
})
