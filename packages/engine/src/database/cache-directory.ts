import { chmod, lstat, mkdir } from "node:fs/promises"
import { homedir, tmpdir } from "node:os"
import { join } from "node:path"

/**
 * Where files can be kept that are made once per machine, best place first.
 *
 * Not under /tmp if possible: a cleaner of old files there would take the binaries away under a running server.
 */
export function cacheDirectories(): readonly string[] {
  const uid = process.getuid?.()
  // What root keeps must be readable for the user that the server runs as, and /root is not.
  if (uid === 0) return ["/var/cache/tasker", join(tmpdir(), "tasker-cache")]
  return [join(homedir(), ".cache", "tasker"), join(tmpdir(), `tasker-cache-${uid ?? "user"}`)]
}

/**
 * Makes a cache directory.
 *
 * @throws when it cannot be made, or when it is somebody else's: a directory that was prepared under a name that can be guessed
 * may hold anything.
 */
export async function makeCacheDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 })
  if (!(await isOwnDirectory(directory))) {
    throw new Error(`"${directory}" belongs to somebody else, or others may write to it`)
  }
  if (process.getuid?.() === 0) await chmod(directory, 0o755)
}

/** Whether a directory is there, and nobody else could have put anything into it. */
export async function isOwnDirectory(directory: string): Promise<boolean> {
  const stats = await lstat(directory).catch(() => undefined)
  if (stats === undefined || !stats.isDirectory()) return false
  const uid = process.getuid?.()
  return uid === undefined || (stats.uid === uid && (stats.mode & 0o022) === 0)
}
