import { randomUUID } from "node:crypto"
import { readFile, rename, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import type { PGlite } from "@electric-sql/pglite"
import { cacheDirectories, isOwnDirectory, makeCacheDirectory } from "./cache-directory.ts"

/** An empty database as PGlite's initdb makes it, kept for the next time. */
export interface PgliteImage {
  readonly blob: Blob
  /** Forgets the kept copy, when it turns out to be damaged. */
  forget(): Promise<void>
}

/**
 * An empty PGlite database. Making one takes initdb three seconds, reading it half of one, so it is kept per version.
 *
 * @param create opens a PGlite in memory; called only when no image is kept.
 */
export async function pgliteImage(create: () => Promise<PGlite>): Promise<PgliteImage> {
  const name = `pglite-${await pgliteVersion()}.tar`
  const files = cacheDirectories().map((directory) => join(directory, name))
  for (const file of files) {
    const kept = await read(file)
    if (kept !== undefined) return { blob: kept, forget: async () => await rm(file, { force: true }) }
  }
  const pglite = await create()
  const blob = await pglite.dumpDataDir("none")
  await pglite.close()
  for (const file of files) {
    if (await written(file, blob)) break
  }
  return { blob, forget: async () => {} }
}

async function read(file: string): Promise<Blob | undefined> {
  if (!(await isOwnDirectory(dirname(file)))) return undefined
  try {
    return new Blob([await readFile(file)])
  } catch {
    return undefined
  }
}

async function written(file: string, blob: Blob): Promise<boolean> {
  const draft = `${file}.${process.pid}.${randomUUID()}`
  try {
    await makeCacheDirectory(dirname(file))
    await writeFile(draft, Buffer.from(await blob.arrayBuffer()), { mode: 0o644 })
    await rename(draft, file)
    return true
  } catch {
    await rm(draft, { force: true }).catch(() => {})
    return false
  }
}

async function pgliteVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve("@electric-sql/pglite")
  // Every package.json in node_modules has a version: npm installs none without.
  const { version } = JSON.parse(await readFile(join(dirname(entry), "..", "package.json"), "utf8")) as {
    version: string
  }
  return version
}
