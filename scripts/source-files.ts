import { existsSync, readdirSync } from "node:fs"
import { join, relative, sep } from "node:path"

const SKIPPED = new Set(["node_modules", "dist", "generated", "coverage"])

/** Lists the TypeScript files below some folders of `root`, as paths from `root` with forward slashes, in order. */
export function sourceFiles(root: string, folders: readonly string[]): readonly string[] {
  return folders
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => filesBelow(folder))
    .map((file) => relative(root, file).split(sep).join("/"))
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : filesBelow(join(folder, entry.name))
      return /\.[cm]?tsx?$/.test(entry.name) ? [join(folder, entry.name)] : []
    })
}
