import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { countSources } from "./count-sources.ts"

describe("countSources", () => {
  let root: string

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "tasker-types-"))
  })

  afterAll(() => rmSync(root, { recursive: true, force: true }))

  function build(projects: Readonly<Record<string, unknown>>): string {
    const references = Object.keys(projects).map((path) => ({ path }))
    writeFileSync(join(root, "tsconfig.json"), JSON.stringify({ files: [], references }))
    for (const [path, ids] of Object.entries(projects)) {
      mkdirSync(join(root, path, "dist"), { recursive: true })
      writeFileSync(join(root, path, "dist/.tsbuildinfo"), JSON.stringify({ root: ids }))
    }
    return root
  }

  test("counts ids and ranges of ids", () => {
    expect(countSources(build({ one: [7], two: [3, [10, 19]] }))).toEqual(
      new Map([
        ["one", 1],
        ["two", 11],
      ]),
    )
  })

  test("fails when the compiler saw no files in one of the projects", () => {
    expect(() => countSources(build({ one: [7], two: [] }))).toThrow("saw no files in two")
  })

  test("fails when the form of the file has changed", () => {
    expect(() => countSources(build({ one: [{ from: 1 }] }))).toThrow("saw no files in one")
  })

  test("fails when nothing is built", () => {
    expect(() => countSources(build({}))).toThrow("references no projects")
  })
})
