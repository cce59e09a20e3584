import { readdirSync, readFileSync } from "node:fs"

/** How the kernel counts time in /proc, everywhere but on some old machines. */
const MS_PER_TICK = 10

/**
 * The CPU time that a PostgreSQL server and all its processes have used, in milliseconds, those that have ended included; `null`
 * where there is no /proc.
 */
export function serverCpuMs(postmasterPid: number): number | null {
  const own = readStat(postmasterPid)
  if (own === undefined) return null
  let ticks = own.ticks + own.ticksOfEnded
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined
    if (stat?.parentPid === postmasterPid) ticks += stat.ticks
  }
  return ticks * MS_PER_TICK
}

interface ProcessStat {
  readonly parentPid: number
  readonly ticks: number
  /** Of children that have ended. */
  readonly ticksOfEnded: number
}

function readStat(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The name, in parentheses, may hold anything; fields are counted from behind it. See proc(5).
    const fields = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number)
    const [, parentPid = 0] = fields
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15)
    return { parentPid, ticks: user + system, ticksOfEnded: endedUser + endedSystem }
  } catch {
    // It has ended, or there is no /proc.
    return undefined
  }
}
