import { existsSync } from "node:fs"
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { HeldLock, ProcessIdentity } from "./lock-file.ts"
import { identityOf, isSameProcessAlive, tryLock, waitForLock } from "./lock-file.ts"
import { startTestProcess } from "./test-process.ts"

describe(tryLock, () => {
  let dir: string
  let count = 0

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "tasker-lock-"))
  })
  afterAll(async () => await rm(dir, { recursive: true }))

  const newPath = (): string => join(dir, `lock-${count++}`)

  function assertHeld(lock: HeldLock | ProcessIdentity): asserts lock is HeldLock {
    expect(lock).toHaveProperty("release")
  }

  it("gives the lock to one, and tells the other who has it", async () => {
    const path = newPath()
    const lock = await tryLock(path)
    assertHeld(lock)
    expect(await tryLock(path)).toEqual(identityOf(process.pid))
    expect(await waitForLock(path, 30)).toBeUndefined()
    lock.release()
    lock.release()
    expect(existsSync(path)).toBe(false)
    const again = await tryLock(path)
    assertHeld(again)
    again.release()
  })

  it("takes over the file of a process that has ended, and one that holds nothing readable", async () => {
    for (const text of [JSON.stringify({ ...identityOf(process.pid), pid: 2 ** 22 + 1 }), "", "{}", "null"]) {
      const path = newPath()
      await writeFile(path, text)
      const lock = await tryLock(path)
      assertHeld(lock)
      lock.release()
    }
  })

  it("does not take a new process for the old one that had its pid", async () => {
    const path = newPath()
    await writeFile(path, JSON.stringify({ pid: process.pid, startedAt: "1", host: hostname() }))
    const lock = await tryLock(path)
    assertHeld(lock)
    lock.release()
  })

  it("judges a file of another host by its age", async () => {
    const path = newPath()
    const elsewhere = { pid: 1, startedAt: "1", host: "elsewhere" }
    await writeFile(path, JSON.stringify(elsewhere))
    expect(await tryLock(path)).toEqual(elsewhere)
    const longAgo = new Date(Date.now() - 60_000)
    await utimes(path, longAgo, longAgo)
    const lock = await tryLock(path)
    assertHeld(lock)
    lock.release()
  })

  it("is held by one process at a time, however many want it, stale files and all", async () => {
    const path = newPath()
    await writeFile(path, JSON.stringify({ ...identityOf(process.pid), pid: 2 ** 22 + 1 }))
    const module = fileURLToPath(new URL("../../dist/database/lock-file.js", import.meta.url))
    const program = `
      import { waitForLock } from ${JSON.stringify(module)}
      import { openSync, closeSync, rmSync } from "node:fs"
      const inside = ${JSON.stringify(`${path}.inside`)}
      for (let round = 0; round < 20; round++) {
        const lock = await waitForLock(${JSON.stringify(path)}, 20000)
        closeSync(openSync(inside, "wx"))
        await new Promise((resolve) => setImmediate(resolve))
        rmSync(inside)
        lock.release()
      }`
    const processes = Array.from({ length: 4 }, () => startTestProcess(program))
    expect(await Promise.all(processes.map(async ({ ended }) => await ended))).toEqual([0, 0, 0, 0])
  })
})

describe(isSameProcessAlive, () => {
  it("knows a process from a later one with its pid, and both from none", async () => {
    const child = startTestProcess("console.log('up'); setInterval(() => {}, 1000)")
    await child.line("up")
    const identity = identityOf(child.pid)
    expect(isSameProcessAlive(identity)).toBe(true)
    expect(isSameProcessAlive({ ...identity, startedAt: "other" })).toBe(false)
    child.kill("SIGKILL")
    await child.ended
    expect(isSameProcessAlive(identity)).toBe(false)
  })
})
