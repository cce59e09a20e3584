import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { readFile, rm } from "node:fs/promises"
import { connect } from "node:net"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { isPidAlive } from "./lock-file.ts"

/** What a server says about itself in `postmaster.pid`. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  readonly status: "starting" | "ready" | "stopping"
}

/** How long a server may take to recover after a crash before a start is given up. */
export const READY_TIMEOUT_MS = 120_000

const LOOPBACK = "127.0.0.1"

/**
 * The server that runs on a data directory, if one does. Removes what a dead one left behind.
 *
 * PostgreSQL refuses to start when the pid of a stale file belongs to any live process of its user, and takes a zombie for
 * alive (a container whose pid 1 reaps nobody): so a file whose process is not a PostgreSQL that lives is removed here.
 */
export async function findPostmaster(dataDir: string): Promise<Postmaster | undefined> {
  const postmaster = await readPostmaster(dataDir)
  if (postmaster === undefined) return undefined
  if (isPidAlive(postmaster.pid) && isPostgres(postmaster.pid)) return postmaster
  await rm(join(dataDir, "postmaster.pid"), { force: true })
  return undefined
}

/** Waits until the server accepts connections. Gives `undefined` when it ends instead, or when the time is up. */
export async function whenReady(dataDir: string, isGone: () => boolean): Promise<Postmaster | undefined> {
  const deadline = Date.now() + READY_TIMEOUT_MS
  while (Date.now() < deadline && !isGone()) {
    const postmaster = await readPostmaster(dataDir)
    if (postmaster?.status === "ready" && isPidAlive(postmaster.pid) && (await accepts(postmaster.port)))
      return postmaster
    await delay(10)
  }
  return undefined
}

/** Waits until a process has ended. Gives whether it has, within the time. */
export async function whenGone(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  while (isPidAlive(pid)) {
    if (Date.now() > deadline) return false
    await delay(10)
  }
  return true
}

/** Sends a signal to a process that may have ended already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended, or belongs to somebody else.
  }
}

/** Whether somebody accepts connections on a port of this machine. */
export async function accepts(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port })
    const settle = (accepted: boolean): void => {
      socket.destroy()
      resolve(accepted)
    }
    socket.once("connect", () => settle(true))
    socket.once("error", () => settle(false))
    socket.setTimeout(1_000, () => settle(false))
  })
}

async function readPostmaster(dataDir: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => undefined)
  if (text === undefined) return undefined
  // pid, data directory, start time, port, socket directory, address, shared memory, status: miscadmin.h, LOCK_FILE_LINE_*.
  const lines = text.split("\n")
  const [pid, port] = [Number(lines[0]), Number(lines[3])]
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  const status = lines[7]?.trim()
  return { pid, port, status: status === "ready" || status === "stopping" ? status : "starting" }
}

function isPostgres(pid: number): boolean {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("postgres")
    if (process.platform === "win32") return true
    return execFileSync("/bin/ps", ["-o", "comm=", "-p", String(pid)], { encoding: "utf8" }).includes("postgres")
  } catch {
    return false
  }
}
