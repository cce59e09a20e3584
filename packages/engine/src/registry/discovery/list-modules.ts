import { readdir } from "node:fs/promises"
import { join, parse } from "node:path"

export interface ListOptions {
  /** With the dot: `.js`. */
  readonly extensions: readonly string[]
  /** Whether folders inside the folder are searched too. */
  readonly recursive: boolean
}

/** What is no program of its own: declarations of types, tests, and what a leading "." or "_" sets aside. */
const SKIPPED = /^[._]|\.d\.[cm]?ts$|\.(?:test|spec)\.[^.]+$/

const TYPESCRIPT = new Set([".ts", ".mts", ".cts"])
const JAVASCRIPT: readonly string[] = [".js", ".mjs", ".cjs"]

/** What can be imported. */
export const MODULE_EXTENSIONS: readonly string[] = [...JAVASCRIPT, ...TYPESCRIPT]

/**
 * The files of a folder that may be loaded, sorted by path, as paths that start with the folder's. Of a TypeScript file
 * that was compiled beside itself, only the JavaScript is listed.
 *
 * @throws Error when the folder cannot be read
 */
export async function listModules(folder: string, options: ListOptions): Promise<readonly string[]> {
  const names = await listNames(folder, "", options)
  const all = new Set(names)
  return names
    .filter((name) => !isCompiled(name, all))
    .toSorted()
    .map((name) => join(folder, name))
}

/** Paths inside the folder, with "/" on every system, so that the order is the same on each. */
async function listNames(folder: string, inside: string, options: ListOptions): Promise<readonly string[]> {
  const entries = await readdir(join(folder, inside), { withFileTypes: true })
  const lists = await Promise.all(
    entries.map(async (entry): Promise<readonly string[]> => {
      const name = `${inside}${entry.name}`
      if (SKIPPED.test(entry.name)) return []
      if (entry.isDirectory()) {
        const isSearched = options.recursive && entry.name !== "node_modules"
        return isSearched ? await listNames(folder, `${name}/`, options) : []
      }
      return options.extensions.includes(parse(entry.name).ext) ? [name] : []
    }),
  )
  return lists.flat()
}

function isCompiled(name: string, all: ReadonlySet<string>): boolean {
  const { ext } = parse(name)
  if (!TYPESCRIPT.has(ext)) return false
  const stem = name.slice(0, -ext.length)
  return JAVASCRIPT.some((extension) => all.has(`${stem}${extension}`))
}
