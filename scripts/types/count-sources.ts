import { readFileSync } from "node:fs"
import { join } from "node:path"

/** What we read of a `.tsbuildinfo`: the files that the project itself names, as ids or ranges of ids. */
interface BuildInfo {
  readonly root: readonly (number | readonly [first: number, last: number])[]
}

/**
 * Counts the source files that the compiler saw in each project of a build.
 *
 * @param root - a folder with a `tsconfig.json` of references, built by `tsc -b`
 * @throws Error when a project was not built, or when the compiler saw no files in it
 */
export function countSources(root: string): ReadonlyMap<string, number> {
  // The file is our own, and plain JSON.
  const { references } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")) as {
    references: { path: string }[]
  }
  if (references.length === 0) throw new Error("tsconfig.json references no projects")
  return new Map(references.map(({ path }) => [path, countOf(root, path)]))
}

function countOf(root: string, project: string): number {
  // Written by the compiler that package.json pins; a change of its form gives NaN or 0, and so fails.
  const info = JSON.parse(readFileSync(join(root, project, "dist/.tsbuildinfo"), "utf8")) as BuildInfo
  const count = info.root.reduce<number>((sum, id) => sum + (typeof id === "number" ? 1 : id[1] - id[0] + 1), 0)
  if (!(count > 0)) throw new Error(`the compiler saw no files in ${project}`)
  return count
}
