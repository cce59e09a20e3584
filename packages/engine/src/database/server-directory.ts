import { createHash, randomBytes } from "node:crypto"
import { chmod, chown, mkdir, readFile, rename, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { TaskerError } from "../core/error.ts"
import { canTraverse } from "./server-user.ts"
import type { ServerUser } from "./server-user.ts"

/**
 * What stands in the directory of an embedded server:
 *
 * - `data/`: PostgreSQL's own, of the user that it runs as
 * - `server.json`: port, password and where the data is; only its owner may read it
 * - `postgres.log`
 * - `lock`: held while a process starts or stops the server
 * - `users/`: one file for each process that uses it
 */
export interface ServerDirectory {
  readonly dir: string
  readonly stateFile: string
  readonly logFile: string
  readonly lockFile: string
  readonly usersDir: string
}

/** What must be known to find a server again. */
export interface ServerState {
  readonly port: number
  readonly password: string
  readonly dataDir: string
  /** Whether the database of the server was created. */
  readonly hasDatabase: boolean
}

export const SUPERUSER = "tasker"

export function serverDirectory(dir: string): ServerDirectory {
  return {
    dir,
    stateFile: join(dir, "server.json"),
    logFile: join(dir, "postgres.log"),
    lockFile: join(dir, "lock"),
    usersDir: join(dir, "users"),
  }
}

/** Makes the directory, or says why it cannot be used. */
export async function makeServerDirectory({ dir, usersDir }: ServerDirectory): Promise<void> {
  try {
    const made = await mkdir(dir, { recursive: true, mode: 0o755 })
    // A umask of 077 would shut out the user that the server runs as; what is secret in here has modes of its own.
    if (made !== undefined && process.getuid?.() === 0) await chmod(dir, 0o755)
    await mkdir(usersDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error)
    throw new TaskerError("TASKER_EMBEDDED_START_FAILED", `the directory "${dir}" cannot be written: ${reason}`, {
      hint:
        reason === "EACCES"
          ? "it belongs to another user (root, from an earlier run?): remove it, or choose another"
          : undefined,
      cause: error,
    })
  }
}

export async function readServerState({ dir, stateFile }: ServerDirectory): Promise<ServerState | undefined> {
  const text = await readFile(stateFile, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
    throw new TaskerError("TASKER_EMBEDDED_START_FAILED", `"${stateFile}" cannot be read: ${String(error)}`, {
      cause: error,
    })
  })
  if (text === undefined) return undefined
  try {
    // Written by `writeServerState`, whole or not at all.
    const state = JSON.parse(text) as Omit<ServerState, "dataDir"> & { readonly dataDir?: string }
    return { ...state, dataDir: state.dataDir ?? join(dir, "data") }
  } catch (error) {
    throw new TaskerError("TASKER_EMBEDDED_START_FAILED", `"${stateFile}" is not JSON`, { cause: error })
  }
}

export async function writeServerState({ dir, stateFile }: ServerDirectory, state: ServerState): Promise<void> {
  const draft = `${stateFile}.${process.pid}.new`
  // The usual place is not written down, so that the directory may be moved or copied.
  const { dataDir, ...rest } = state
  const written = dataDir === join(dir, "data") ? rest : state
  await writeFile(draft, `${JSON.stringify(written, undefined, 2)}\n`, { mode: 0o600 })
  await rename(draft, stateFile)
}

export function newPassword(): string {
  return randomBytes(24).toString("base64url")
}

/**
 * Where the data can be so that the server's user reaches it: inside the directory, or, when something above it is closed to
 * that user (`/root` usually is), under `/var/lib/tasker`.
 *
 * @throws TASKER_EMBEDDED_START_FAILED when there is no such place.
 */
export async function placeData(directory: ServerDirectory, user: ServerUser | undefined): Promise<string> {
  if (await canTraverse(directory.dir, user)) return join(directory.dir, "data")
  const name = `${basename(directory.dir).replace(/^\./, "")}-${createHash("sha256").update(directory.dir).digest("hex").slice(0, 12)}`
  const parent = join("/var/lib/tasker", name)
  try {
    await mkdir(parent, { recursive: true, mode: 0o755 })
    await chmod("/var/lib/tasker", 0o755)
    await chmod(parent, 0o755)
    if (await canTraverse(parent, user)) return join(parent, "data")
  } catch {
    // The message below says it.
  }
  throw new TaskerError(
    "TASKER_EMBEDDED_START_FAILED",
    `the user "${user?.name}", which PostgreSQL runs as since it refuses root, cannot reach "${directory.dir}" or "/var/lib/tasker"`,
    { hint: "choose a directory that others may pass through, as in embedded:/srv/tasker" },
  )
}

/** Makes an empty directory that belongs to the server's user. */
export async function makeOwned(path: string, user: ServerUser | undefined): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  if (user !== undefined) await chown(path, user.uid, user.gid)
}
