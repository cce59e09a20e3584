import { execFileSync } from "node:child_process"
import { randomUUID } from "node:crypto"
import { readFileSync, rmSync, utimesSync } from "node:fs"
import { link, mkdir, readFile, rm, rmdir, stat, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { setTimeout as delay } from "node:timers/promises"
import { atExit } from "./at-exit.ts"

/** A process, such that a later one with the same pid is another. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, in a form that only compares; empty where the platform does not say. */
  readonly startedAt: string
  readonly host: string
}

/** A lock that is held, until it is released or the process exits. */
export interface HeldLock {
  /** Gives it back. May be called twice. */
  release(): void
}

const REFRESH_MS = 5_000
// A lock from another host (a container that is gone, a shared volume) is judged by its age, since its pid says nothing here.
const FOREIGN_STALE_MS = 20_000
// Breaking a stale lock takes milliseconds; whoever takes longer has died while at it.
const BREAK_STALE_MS = 10_000

/**
 * Takes a lock file, or says who holds it. A file of a process that is gone is taken over.
 *
 * The file appears whole, by a hard link, so nobody reads half of it. Only one process at a time may judge a lock stale and
 * remove it, under `<path>.break`: two that did so at once could remove each other's new lock.
 */
export async function tryLock(path: string): Promise<HeldLock | ProcessIdentity> {
  const self = identityOf(process.pid)
  const draft = `${path}.${process.pid}.${randomUUID()}`
  await writeFile(draft, JSON.stringify(self), { mode: 0o644 })
  try {
    for (;;) {
      if (await linked(draft, path)) return held(path)
      const holder = await readHolder(path)
      if (holder !== undefined && (await isLive(holder, path))) return holder
      await breakStale(path)
    }
  } finally {
    await rm(draft, { force: true })
  }
}

/** Takes a lock file, waiting for its holder. Gives `undefined` when the time is up. */
export async function waitForLock(path: string, timeoutMs: number): Promise<HeldLock | undefined> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const lock = await tryLock(path)
    if ("release" in lock) return lock
    if (Date.now() > deadline) return undefined
    await delay(20)
  }
}

/** Whether a process of this machine is alive, and the same one that wrote this identity. */
export function isSameProcessAlive(identity: ProcessIdentity): boolean {
  if (!isPidAlive(identity.pid)) return false
  const { startedAt } = identityOf(identity.pid)
  return startedAt === identity.startedAt || startedAt === "" || identity.startedAt === ""
}

export function isPidAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !isZombie(pid)
  } catch (error) {
    // EPERM: it lives, under another user.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/** The identity of a process on this machine. */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, startedAt: startTimeOf(pid), host: hostname() }
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false
    throw error
  }
}

/** Reads the identity that a lock file holds, if it is there and readable. */
export async function readHolder(path: string): Promise<ProcessIdentity | undefined> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, "utf8"))
    if (typeof parsed !== "object" || parsed === null || !("pid" in parsed) || typeof parsed.pid !== "number")
      return undefined
    // Written by this file, in this form; a field that is missing compares as unequal.
    return parsed as ProcessIdentity
  } catch {
    return undefined
  }
}

async function isLive(holder: ProcessIdentity, path: string): Promise<boolean> {
  if (holder.host === hostname()) return isSameProcessAlive(holder)
  const age = await ageOf(path)
  return age !== undefined && age < FOREIGN_STALE_MS
}

async function ageOf(path: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(path)).mtimeMs
  } catch {
    return undefined
  }
}

async function breakStale(path: string): Promise<void> {
  const breaker = `${path}.break`
  try {
    await mkdir(breaker)
  } catch {
    const age = await ageOf(breaker)
    if (age !== undefined && age > BREAK_STALE_MS) await rmdir(breaker).catch(() => {})
    await delay(10)
    return
  }
  try {
    const holder = await readHolder(path)
    if (holder === undefined || !(await isLive(holder, path))) await rm(path, { force: true })
  } finally {
    await rmdir(breaker).catch(() => {})
  }
}

function held(path: string): HeldLock {
  const refresh = setInterval(() => touch(path), REFRESH_MS)
  refresh.unref()
  const release = (): void => {
    forgetExit()
    clearInterval(refresh)
    if (isOurs(path)) rmSync(path, { force: true })
  }
  const forgetExit = atExit(release)
  let released = false
  return {
    release: () => {
      if (!released) release()
      released = true
    },
  }
}

function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date())
  } catch {
    // The directory was removed; whoever did that has no use for the lock.
  }
}

function isOurs(path: string): boolean {
  try {
    // Written by us alone; what is misshapen has no pid, and is not ours.
    return (JSON.parse(readFileSync(path, "utf8")) as ProcessIdentity).pid === process.pid
  } catch {
    return false
  }
}

function startTimeOf(pid: number): string {
  try {
    if (process.platform === "linux") return procStat(pid)[19] ?? ""
    if (process.platform === "win32") return ""
    return execFileSync("/bin/ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim()
  } catch {
    return ""
  }
}

function isZombie(pid: number): boolean {
  try {
    return process.platform === "linux" && procStat(pid)[0] === "Z"
  } catch {
    return false
  }
}

// The fields after the command, which may itself hold spaces and parentheses: state is the first, the start time the 20th.
function procStat(pid: number): string[] {
  const stats = readFileSync(`/proc/${pid}/stat`, "utf8")
  return stats.slice(stats.lastIndexOf(")") + 2).split(" ")
}
