import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, describe, expect, test } from "vitest"
import { checkFloors } from "./check-floors.ts"

const ENGINE = "packages/engine/src"

/** A house that keeps every rule, in every way that looks close to breaking one. */
const SOUND: Readonly<Record<string, string>> = {
  [`${ENGINE}/index.ts`]: `export { createTasker } from "./tasker.ts"\nexport type { State } from "./core/state.ts"`,
  [`${ENGINE}/tasker.ts`]: `import { work } from "./worker/work.ts"\nexport const createTasker = () => work`,
  [`${ENGINE}/core/state.ts`]: `export type State = "pending" // select * from tasker.steps\nexport const at = new Date(0)`,
  [`${ENGINE}/core/state.test.ts`]: `import { test } from "vitest"\nimport { work } from "../worker/work.ts"\ntest("", work)`,
  [`${ENGINE}/database/connect.ts`]: `import type { Pool } from "pg"\nexport const begin = (pool: Pool) => pool.query("begin")`,
  [`${ENGINE}/store/claim.ts`]: `import { begin } from "../database/connect.ts"\nexport const claim = () => [begin, "select tasker.claim()"]`,
  [`${ENGINE}/worker/work.ts`]: `import { claim } from "../store/claim.ts"\nexport const work = () => claim("select a step first")`,
  [`${ENGINE}/registry/discovery/import-module.ts`]: `export const load = (url: string) => import(url)`,
  "bench/src/main.ts": `import { createTasker } from "@tasker/engine"\ncreateTasker(process.env.URL, "select count(*) from tasker.steps")`,
  "examples/demo/src/main.ts": `import { createTasker } from "@tasker/engine"\ncreateTasker()`,
}

/** One planted violation of each kind: what is put where, which rule must see it, and words of its message. */
const PLANTED: readonly (readonly [name: string, path: string, source: string, rule: string, message: RegExp])[] = [
  [
    "an arrow up",
    `${ENGINE}/store/up.ts`,
    `import { work } from "../worker/work.ts"\nwork()`,
    "floors",
    /store → worker/,
  ],
  [
    "an arrow up, of a type",
    `${ENGINE}/core/up.ts`,
    `import type { claim } from "../store/claim.ts"`,
    "floors",
    /core → store/,
  ],
  [
    "an inline type import up",
    `${ENGINE}/core/up.ts`,
    `export type X = import("../store/claim.ts").X`,
    "floors",
    /core → store/,
  ],
  [
    "an arrow to the roof",
    `${ENGINE}/client/up.ts`,
    `export { createTasker } from "../tasker.ts"`,
    "floors",
    /client → roof/,
  ],
  ["an arrow through the entry", `${ENGINE}/events/up.ts`, `export * from "../index.ts"`, "floors", /events → roof/],
  [
    "two rooms of floor 2",
    `${ENGINE}/client/side.ts`,
    `import { work } from "../worker/work.ts"\nwork()`,
    "rooms",
    /client → worker/,
  ],
  [
    "database to store",
    `${ENGINE}/database/side.ts`,
    `import type { claim } from "../store/claim.ts"`,
    "rooms",
    /database → store/,
  ],
  [
    "a lazy import aside",
    `${ENGINE}/registry/side.ts`,
    `await import("../store/claim.ts")`,
    "rooms",
    /registry → store/,
  ],
  ["a room without a floor", `${ENGINE}/helpers/any.ts`, `export const any = 1`, "plan", /"helpers" has no floor/],
  [
    "a package without a place",
    "packages/extra/src/index.ts",
    `export const any = 1`,
    "plan",
    /packages\/extra is not in/,
  ],
  ["an arrow between packages", `${ENGINE}/client/api.ts`, `import "@tasker/api"`, "packages", /does not import api/],
  [
    "a path into a package",
    "bench/src/deep.ts",
    `import "@tasker/engine/dist/core/state.js"`,
    "packages",
    /is no entry/,
  ],
  [
    "a path across workspaces",
    "bench/src/deep.ts",
    `import "../../packages/engine/src/tasker.ts"`,
    "packages",
    /reaches into packages\/engine/,
  ],
  ["core and node:", `${ENGINE}/core/io.ts`, `import { readFile } from "node:fs"\nreadFile`, "core", /"node:fs"/],
  ["core and a type of a package", `${ENGINE}/core/io.ts`, `import type { Document } from "yaml"`, "core", /"yaml"/],
  ["core and the clock", `${ENGINE}/core/io.ts`, `export const now = () => Date.now()`, "core", /Date\.now/],
  ["core and the date of today", `${ENGINE}/core/io.ts`, `export const now = () => new Date()`, "core", /new Date\(\)/],
  ["core and chance", `${ENGINE}/core/io.ts`, `export const roll = () => Math.random()`, "core", /Math\.random/],
  ["core and a timer", `${ENGINE}/core/io.ts`, `setTimeout(() => {}, 1)`, "core", /setTimeout/],
  [
    "SQL in the client",
    `${ENGINE}/client/sql.ts`,
    `export const q = "select name from tasker.tasks"`,
    "sql",
    /select name/,
  ],
  [
    "SQL in a template",
    `${ENGINE}/worker/sql.ts`,
    "export const q = (id: string) => `\n update tasker.tasks\n set state = ${id}`",
    "sql",
    /update/,
  ],
  [
    "SQL behind a comment",
    `${ENGINE}/worker/sql.ts`,
    `export const q = "-- why\\ndelete from tasker.tasks"`,
    "sql",
    /delete/,
  ],
  [
    "SQL behind a with",
    `${ENGINE}/client/sql.ts`,
    `export const q = "with x as (select 1) insert into a select 1"`,
    "sql",
    /with x/,
  ],
  ["a transaction in the client", `${ENGINE}/client/sql.ts`, `export const q = "begin"`, "sql", /begin/],
  [
    "SQL on our tables in database",
    `${ENGINE}/database/sql.ts`,
    `export const q = "select 1 from tasker.tasks"`,
    "sql",
    /tasker\.tasks/,
  ],
  ["a write in database", `${ENGINE}/database/sql.ts`, `export const q = "create table x ()"`, "sql", /create table/],
  ["a driver in the store", `${ENGINE}/store/driver.ts`, `import pg from "pg"\npg`, "driver", /"pg"/],
  [
    "a driver's type in the client",
    `${ENGINE}/client/driver.ts`,
    `import type { PoolClient } from "pg"`,
    "driver",
    /"pg"/,
  ],
  [
    "PGlite in the worker",
    `${ENGINE}/worker/driver.ts`,
    `await import("@electric-sql/pglite/live")`,
    "driver",
    /pglite/,
  ],
  ["a required driver", `${ENGINE}/store/driver.ts`, `export const pg = require("pg")`, "driver", /"pg"/],
  [
    "an import in disguise",
    `${ENGINE}/worker/any.ts`,
    `export const x = (a: string) => import(a)`,
    "computed",
    /escapes/,
  ],
  [
    "the environment in a room",
    `${ENGINE}/worker/env.ts`,
    `export const x = process.env.URL`,
    "environment",
    /process\.env/,
  ],
  [
    "the environment by key",
    `${ENGINE}/worker/env.ts`,
    `export const x = globalThis.process["env"]`,
    "environment",
    /process\.env/,
  ],
  ["the environment unpacked", "bench/src/env.ts", `const { env } = process\nenv`, "environment", /env/],
  ["the environment imported", "bench/src/env.ts", `import { env } from "node:process"\nenv`, "environment", /env/],
  ["an index in a folder", `${ENGINE}/store/index.ts`, `export const any = 1`, "index", /import the file you mean/],
  ["an index in an example", "examples/demo/src/index.ts", `export const any = 1`, "index", /import the file you mean/],
]

const roots: string[] = []

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true })
})

function house(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "tasker-floors-"))
  roots.push(root)
  for (const [path, source] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), source)
  }
  return root
}

describe("checkFloors", () => {
  test("finds nothing in a sound house, and says what it saw", () => {
    expect(checkFloors(house(SOUND))).toEqual({ fileCount: 10, importCount: 10, violations: [] })
  })

  test.each(PLANTED)("sees %s", (_name, path, source, rule, message) => {
    const { violations } = checkFloors(house({ ...SOUND, [path]: source }))

    expect(violations).toEqual([{ rule, at: expect.stringContaining(path), message: expect.stringMatching(message) }])
  })

  test("sees a circle of types, and shows its shortest way", () => {
    const { violations } = checkFloors(
      house({
        ...SOUND,
        [`${ENGINE}/core/a.ts`]: `import type { B } from "./b.ts"\nexport interface A { b: B }`,
        [`${ENGINE}/core/b.ts`]: `import type { C } from "./c.ts"\nimport type { A } from "./a.ts"\nexport type B = A | C`,
        [`${ENGINE}/core/c.ts`]: `import type { State } from "./state.ts"\nexport type C = State`,
      }),
    )

    expect(violations).toEqual([
      {
        rule: "circle",
        at: `${ENGINE}/core/a.ts`,
        message: expect.stringContaining(`${ENGINE}/core/a.ts → ${ENGINE}/core/b.ts → ${ENGINE}/core/a.ts:`),
      },
    ])
  })

  test("says the line", () => {
    const { violations } = checkFloors(house({ ...SOUND, [`${ENGINE}/core/io.ts`]: `\n\nimport "node:fs"` }))

    expect(violations[0]?.at).toBe(`${ENGINE}/core/io.ts:3`)
  })

  test("fails when it sees no files", () => {
    expect(() => checkFloors(house({}))).toThrow("saw no files below")
  })

  test("fails when it sees nothing of the engine", () => {
    expect(() => checkFloors(house({ "bench/src/main.ts": `import "pg"` }))).toThrow("saw no files of packages/engine")
  })

  test("fails when it sees no imports", () => {
    expect(() => checkFloors(house({ [`${ENGINE}/index.ts`]: `export const a = 1` }))).toThrow("saw no imports")
  })

  test("fails when a file does not parse", () => {
    expect(() => checkFloors(house({ ...SOUND, [`${ENGINE}/core/x.ts`]: `export const = 1` }))).toThrow(
      "does not parse",
    )
  })
})
