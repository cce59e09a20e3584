import { readFile, stat } from "node:fs/promises"
import { dirname } from "node:path"

/** A user other than the one of this process. */
export interface ServerUser {
  readonly uid: number
  readonly gid: number
  readonly name: string
}

/** Users to run the server as, best first. PostgreSQL refuses to run as root; anybody else runs it as themselves. */
export async function serverUsers(): Promise<readonly (ServerUser | undefined)[]> {
  if (!isRoot()) return [undefined]
  const users = await knownUsers()
  // `postgres` is there where the distribution's package is or was; `nobody` is there everywhere; `daemon` nearly.
  return ["postgres", "nobody", "daemon"].flatMap((name) => users.find((user) => user.name === name) ?? [])
}

/** Who owns a directory, when this process is root and the owner is another. */
export async function otherOwnerOf(directory: string): Promise<ServerUser | undefined> {
  if (!isRoot()) return undefined
  const stats = await stat(directory)
  if (stats.uid === 0) return undefined
  const known = (await knownUsers()).find((user) => user.uid === stats.uid)
  return known ?? { uid: stats.uid, gid: stats.gid, name: String(stats.uid) }
}

/** The options that make `spawn` run a program as a user, with an environment that holds no `PG…` variables. */
export function spawnIdentity(user: ServerUser | undefined): { uid?: number; gid?: number; env?: NodeJS.ProcessEnv } {
  // Windows programs do not start without SystemRoot and its like; there the environment is passed on as it is.
  const env =
    process.platform === "win32" ? {} : { env: { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" } }
  return user === undefined ? env : { ...env, uid: user.uid, gid: user.gid }
}

/** Whether a user may pass through a directory and all that are above it. */
export async function canTraverse(directory: string, user: ServerUser | undefined): Promise<boolean> {
  if (user === undefined) return true
  for (let current = directory; ; current = dirname(current)) {
    const stats = await stat(current)
    const bit = stats.uid === user.uid ? 0o100 : stats.gid === user.gid ? 0o010 : 0o001
    if ((stats.mode & bit) === 0) return false
    if (current === dirname(current)) return true
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

async function knownUsers(): Promise<readonly ServerUser[]> {
  const passwd = await readFile("/etc/passwd", "utf8").catch(() => "")
  return passwd.split("\n").flatMap((line) => {
    const [name, , uid, gid] = line.split(":")
    if (name === undefined || uid === undefined || gid === undefined || Number(uid) === 0) return []
    return [{ name, uid: Number(uid), gid: Number(gid) }]
  })
}
