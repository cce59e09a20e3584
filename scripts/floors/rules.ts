import { posix } from "node:path"
import { findCycles } from "./find-cycles.ts"
import type { Finding, Module } from "./module.ts"
import { COMPUTED_IMPORTS, ENGINE_FLOORS, isDriver, PACKAGE_IMPORTS, ROOF, SAME_FLOOR } from "./plan.ts"

export interface Violation {
  readonly rule: string
  /** `path:line` */
  readonly at: string
  readonly message: string
}

/** Where a file is: in which workspace, and in the engine also in which room and on which floor. */
interface Place {
  /** `packages/engine`, `bench`, `examples/patterns`… */
  readonly workspace: string
  readonly room: string | undefined
  readonly floor: number | undefined
}

/** A rule sees one file and the set of all paths; circles, which need the whole graph, are apart. */
type Rule = (module: Module, place: Place) => readonly Violation[]

const RULES: readonly Rule[] = [
  floorsPointDown,
  roomsAreKnown,
  packagesPointDown,
  coreImportsNothing,
  onlyStoreWritesSql,
  onlyDatabaseImportsDrivers,
  importsCanBeFollowed,
  onlyMainReadsTheEnvironment,
  noIndexInFolders,
]

/** Applies the rules of layout.md, "Which way arrows point". Rule 6, wiring by arguments, is for the reviewer. */
export function findViolations(modules: readonly Module[]): readonly Violation[] {
  const perFile = modules.flatMap((module) => RULES.flatMap((rule) => rule(module, placeOf(module.path))))
  return [...perFile, ...noCircles(modules)]
}

/** Rule 1: a floor imports only floors below it, and rooms on one floor do not import each other. */
function floorsPointDown(module: Module, from: Place): readonly Violation[] {
  if (from.floor === undefined || isTest(module.path)) return []
  return module.imports.flatMap((found) => {
    const to = targetOf(module, found)
    if (to === undefined || to.workspace !== from.workspace || to.floor === undefined) return []
    if (to.room === from.room || to.floor < (from.floor ?? 0)) return []
    const arrow = `${from.room ?? "roof"} → ${to.room ?? "roof"}`
    if (SAME_FLOOR.has(arrow)) return []
    return to.floor === from.floor
      ? [violation("rooms", module, found, `${arrow}: rooms on floor ${from.floor} do not import each other`)]
      : [violation("floors", module, found, `${arrow}: floor ${from.floor} does not import floor ${to.floor}`)]
  })
}

function roomsAreKnown(module: Module, place: Place): readonly Violation[] {
  const atTop = { line: 1, text: "" }
  if (place.workspace.startsWith("packages/") && !(place.workspace.slice("packages/".length) in PACKAGE_IMPORTS)) {
    return [violation("plan", module, atTop, `${place.workspace} is not in scripts/floors/plan.ts`)]
  }
  if (place.room === undefined || place.floor !== undefined) return []
  return [violation("plan", module, atTop, `the room "${place.room}" has no floor in scripts/floors/plan.ts`)]
}

/** `server`, `dashboard`, `cli` → `api` → `engine`, and each by its entry, never by a path into its files. */
function packagesPointDown(module: Module, from: Place): readonly Violation[] {
  return module.imports.flatMap((found) => {
    if (found.text.startsWith(".")) {
      const to = targetOf(module, found)
      if (to === undefined || to.workspace === from.workspace) return []
      return [violation("packages", module, found, `"${found.text}" reaches into ${to.workspace}; import its entry`)]
    }
    const [, name, rest = ""] = /^@tasker\/([^/]+)(\/.*)?$/.exec(found.text) ?? []
    if (name === undefined) return []
    if (rest !== "" && rest !== "/testing") {
      return [violation("packages", module, found, `"${found.text}" is no entry; each package has one, and testing`)]
    }
    const allowed = PACKAGE_IMPORTS[from.workspace.replace("packages/", "")]
    if (!from.workspace.startsWith("packages/") || allowed === undefined || allowed.includes(name)) return []
    return [violation("packages", module, found, `${from.workspace} does not import ${name}`)]
  })
}

/** Rule 4: `core/` imports nothing, not even `node:`; it does no I/O and reads no clock. */
function coreImportsNothing(module: Module, place: Place): readonly Violation[] {
  if (place.room !== "core" || place.floor !== 0 || isTest(module.path)) return []
  return [
    ...module.imports
      .filter((found) => !found.text.startsWith("."))
      .map((found) => violation("core", module, found, `core imports nothing, but here "${found.text}"`)),
    ...module.impurities.map((found) =>
      violation("core", module, found, `core has no I/O and no clock, but here ${found.text}; take it as an argument`),
    ),
  ]
}

/** Rule 3: `database/` may say what concerns the connection itself. */
function onlyStoreWritesSql(module: Module, place: Place): readonly Violation[] {
  if (!place.workspace.startsWith("packages/") || isTest(module.path) || place.room === "store") return []
  const refused = place.room === "database" ? module.tableSql : [...module.tableSql, ...module.sessionSql]
  return refused.map((found) => violation("sql", module, found, `only store/ writes SQL, but here "${found.text}"`))
}

/** Rule 3, types included: a type of a driver in a signature ties the caller to it. */
function onlyDatabaseImportsDrivers(module: Module, place: Place): readonly Violation[] {
  if (!place.workspace.startsWith("packages/") || isTest(module.path) || place.room === "database") return []
  return module.imports
    .filter((found) => isDriver(found.text))
    .map((found) => violation("driver", module, found, `only database/ imports a driver, but here "${found.text}"`))
}

/** A computed import could be of anything. The platform's server binaries are found so, hence `database/`. */
function importsCanBeFollowed(module: Module, place: Place): readonly Violation[] {
  if (!place.workspace.startsWith("packages/") || isTest(module.path) || place.room === "database") return []
  if (COMPUTED_IMPORTS.has(module.path)) return []
  return module.computedImports.map((found) => violation("computed", module, found, `${found.text} escapes this check`))
}

/** Rule 3: tests hand the environment on to the processes that they start. */
function onlyMainReadsTheEnvironment(module: Module, place: Place): readonly Violation[] {
  if (isTest(module.path) || place.workspace === "test" || posix.basename(module.path) === "main.ts") return []
  return module.environmentReads.map((found) =>
    violation("environment", module, found, `only a main.ts reads the environment, but here ${found.text}`),
  )
}

/** Rule 5: the one `index.ts` of a package is its entry. */
function noIndexInFolders(module: Module, place: Place): readonly Violation[] {
  if (!/^index\.[cm]?[jt]sx?$/.test(posix.basename(module.path))) return []
  const isEntry = place.workspace.startsWith("packages/") && posix.dirname(module.path) === `${place.workspace}/src`
  if (isEntry) return []
  return [violation("index", module, { line: 1, text: "" }, "no index.ts inside folders: import the file you mean")]
}

/** Rule 2: no circles, types included. */
function noCircles(modules: readonly Module[]): readonly Violation[] {
  const paths = new Set(modules.map((module) => module.path))
  const graph = new Map(
    modules.map((module) => {
      const targets = module.imports.map((found) => resolve(module.path, found.text))
      return [module.path, targets.filter((path): path is string => path !== undefined && paths.has(path))] as const
    }),
  )
  return findCycles(graph).map((cycle) => ({
    rule: "circle",
    at: cycle[0] ?? "",
    message: `${cycle.join(" → ")}: if two files need each other's types, the types belong one floor down`,
  }))
}

function placeOf(path: string): Place {
  const [first = "", second = "", ...rest] = path.split("/")
  const workspace = first === "packages" || first === "examples" ? `${first}/${second}` : first
  if (workspace !== "packages/engine") return { workspace, room: undefined, floor: undefined }
  const inSource = rest[0] === "src" ? rest.slice(1) : rest
  const room = inSource.length > 1 ? inSource[0] : undefined
  return { workspace, room, floor: room === undefined ? ROOF : ENGINE_FLOORS[room] }
}

function targetOf(module: Module, found: Finding): Place | undefined {
  const path = resolve(module.path, found.text)
  return path === undefined ? undefined : placeOf(path)
}

/** Only relative imports have a path; they end in `.ts` here, and `.js` is read as if they did. */
function resolve(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined
  return posix.join(posix.dirname(from), specifier).replace(/\.([cm]?)js(x?)$/, ".$1ts$2")
}

function isTest(path: string): boolean {
  return /\.test(?:-d)?\.[cm]?tsx?$/.test(path)
}

function violation(rule: string, module: Module, found: Finding, message: string): Violation {
  return { rule, at: `${module.path}:${found.line}`, message }
}
