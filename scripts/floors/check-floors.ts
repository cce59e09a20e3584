import { readFileSync } from "node:fs"
import { join } from "node:path"
import { sourceFiles } from "../source-files.ts"
import type { Module } from "./module.ts"
import { parseModule } from "./parse-module.ts"
import { findViolations, type Violation } from "./rules.ts"

export interface FloorsReport {
  readonly fileCount: number
  readonly importCount: number
  readonly violations: readonly Violation[]
}

const SOURCES = ["packages", "examples", "bench", "test", "scripts"]

/**
 * Checks who imports whom, over all workspaces below `root`.
 *
 * The parser is oxc's, and not dependency-cruiser or the TypeScript API: with TypeScript 7 installed those see no
 * modules and pass. A copy of TypeScript 6 beside it brings a second bin called `tsc`, and which of the two wins is
 * an accident of the installation.
 *
 * @throws Error when it sees no files, no imports, or nothing of the engine: then it has checked nothing
 */
export function checkFloors(root: string): FloorsReport {
  const modules = readModules(root)
  const importCount = modules.reduce((sum, module) => sum + module.imports.length, 0)
  if (modules.length === 0) throw new Error(`saw no files below ${root}`)
  if (importCount === 0) throw new Error(`saw no imports in ${modules.length} files below ${root}`)
  if (!modules.some((module) => module.path.startsWith("packages/engine/src/"))) {
    throw new Error(`saw no files of packages/engine/src below ${root}`)
  }
  return { fileCount: modules.length, importCount, violations: findViolations(modules) }
}

function readModules(root: string): readonly Module[] {
  return sourceFiles(root, SOURCES).map((path) => parseModule(path, readFileSync(join(root, path), "utf8")))
}
