import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { afterEach, describe, expect, test } from "vitest"
import { createPluginRegistry } from "../plugin-registry.ts"
import type { RegistryChange } from "../registry-change.ts"
import { createSubscriberRegistry } from "../subscriber-registry.ts"
import type { DiscoverOptions } from "./discover-folder.ts"

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "tasker-discovery-"))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

const plugin = (name: string, more = "") =>
  `{ name: "${name}", formats: ["${name}"], async *export() { yield "${name}" }, ${more} }`

function setUp() {
  const changes: RegistryChange[] = []
  const registry = createPluginRegistry({ onChange: (change) => void changes.push(change) })
  return { registry, changes }
}

/** What came of a folder of plugins, with paths inside of it. */
async function discover(files: Readonly<Record<string, string>>, options?: DiscoverOptions) {
  const folder = folderOf(files)
  const { registry, changes } = setUp()
  const { registered, failures } = await registry.discover(folder, options)
  const inside = (file: string): string => file.slice(folder.length + 1)
  return {
    folder,
    registry,
    changes,
    registered: registered.map(({ key, file }) => `${key} from ${inside(file)}`),
    failures: failures.map(({ file, exportName, error: { code, message, hint } }) => ({
      file: inside(file),
      exportName,
      code,
      message: message.replaceAll(`${folder}/`, ""),
      hint: hint?.replaceAll(`${folder}/`, ""),
    })),
  }
}

describe("a folder with everything that may be in one", () => {
  const files = {
    "a-good.mjs": `export const csv = ${plugin("csv")}`,
    "b-default.mjs": `export default ${plugin("json")}`,
    "c-syntax.mjs": `export const = 1`,
    "d-throws.mjs": `throw new Error("no licence")`,
    "e-throws-text.mjs": `throw "no licence"`,
    "f-none.mjs": `export const version = "1"; export const limits = { max: 1 }; export function run() {}; export const list = [1]; export const key = 5; export default {}`,
    "g-empty.mjs": ``,
    "h-misshapen.mjs": `export const good = ${plugin("good")}; export const bad = { name: "bad", formats: ["bad"] }; export default bad`,
    "i-duplicate.mjs": `export const again = ${plugin("csv")}`,
    "j-missing.mjs": `import "./not-there.mjs"; export const x = ${plugin("x")}`,
    "k-twice.mjs": `export const one = ${plugin("one")}; export const same = one; export default one`,
    "l-common.cjs": `const made = ${plugin("common")}; module.exports = { made }`,
    "m-common.cjs": `module.exports = ${plugin("whole")}`,
    "n-class.mjs": `export class Csv { formats = []; async *export() {} }`,
    "_helper.mjs": `throw new Error("set aside")`,
    ".hidden.mjs": `throw new Error("hidden")`,
    "a-good.test.mjs": `throw new Error("a test")`,
    "a-good.d.mts": `throw new Error("types")`,
    "README.md": `# no module`,
    "inner/z.mjs": `export const inner = ${plugin("inner")}`,
  }

  test("registers what is good, in the order of paths, and names each failure by its file", async () => {
    const { registered, failures, registry } = await discover(files)
    expect(registered).toEqual([
      "csv from a-good.mjs",
      "json from b-default.mjs",
      "good from h-misshapen.mjs",
      "one from k-twice.mjs",
      "common from l-common.cjs",
      "whole from m-common.cjs",
    ])
    expect(registry.list().map(({ name }) => name)).toEqual(["csv", "json", "good", "one", "common", "whole"])
    expect(failures).toEqual([
      {
        file: "c-syntax.mjs",
        exportName: null,
        code: "TASKER_DISCOVERY_FAILED",
        message: expect.stringMatching(/^file "c-syntax\.mjs" cannot be loaded: .*/),
        hint: undefined,
      },
      {
        file: "d-throws.mjs",
        exportName: null,
        code: "TASKER_DISCOVERY_FAILED",
        message: 'file "d-throws.mjs" cannot be loaded: no licence',
        hint: undefined,
      },
      {
        file: "e-throws-text.mjs",
        exportName: null,
        code: "TASKER_DISCOVERY_FAILED",
        message: 'file "e-throws-text.mjs" cannot be loaded: "no licence"',
        hint: undefined,
      },
      {
        file: "f-none.mjs",
        exportName: null,
        code: "TASKER_DISCOVERY_FAILED",
        message:
          'file "f-none.mjs" exports no plugin: expected an export with name, formats and export, got key (a number), limits (an object with max), list (a list of 1), run (a function), version (text), default (an object)',
        hint: 'export one, or set the file aside with a name that starts with "_"',
      },
      {
        file: "g-empty.mjs",
        exportName: null,
        code: "TASKER_DISCOVERY_FAILED",
        message: 'file "g-empty.mjs" exports no plugin: expected an export with name, formats and export, got nothing',
        hint: 'export one, or set the file aside with a name that starts with "_"',
      },
      {
        file: "h-misshapen.mjs",
        exportName: "bad",
        code: "TASKER_PLUGIN_INVALID",
        message: '"bad" is no plugin that can be registered:\n  export: expected export to be a function, got nothing',
        hint: expect.any(String),
      },
      {
        file: "i-duplicate.mjs",
        exportName: "again",
        code: "TASKER_NAME_TAKEN",
        message: 'plugin "csv" is already registered from a-good.mjs, for csv',
        hint: "give it another name, or pass `replace: true`",
      },
      {
        file: "j-missing.mjs",
        exportName: null,
        code: "TASKER_DISCOVERY_FAILED",
        message: expect.stringMatching(/^file "j-missing\.mjs" cannot be loaded: .*not-there\.mjs/),
        hint: "install what the module imports, or correct the path",
      },
      {
        file: "n-class.mjs",
        exportName: null,
        code: "TASKER_DISCOVERY_FAILED",
        message:
          'file "n-class.mjs" exports no plugin: expected an export with name, formats and export, got Csv (the class Csv: export what it makes)',
        hint: 'export one, or set the file aside with a name that starts with "_"',
      },
    ])
  })

  test("is told as one change, after those of the entries", async () => {
    const { changes, folder } = await discover(files, { correlationId: "c-1" })
    expect(changes.map(({ operation }) => operation)).toEqual([
      "registered",
      "registered",
      "validation_failed",
      "registered",
      "validation_failed",
      "registered",
      "registered",
      "registered",
      "discovery_failed",
    ])
    expect(changes.every(({ correlationId }) => correlationId === "c-1")).toBe(true)
    expect(changes[0]).toMatchObject({ key: "csv", source: join(folder, "a-good.mjs") })
    expect(changes.at(-1)).toMatchObject({
      registry: "plugin",
      folder,
      registered: [{ key: "csv", file: join(folder, "a-good.mjs") }, {}, {}, {}, {}, {}],
      failures: Array.from({ length: 9 }, () => ({ file: expect.stringContaining(folder) })),
      durationMs: expect.any(Number),
    })
  })

  test("strict makes an error of the failures, and what is good is registered all the same", async () => {
    const folder = folderOf({
      "a.mjs": `export const csv = ${plugin("csv")}`,
      "b.mjs": `throw new Error("no licence")`,
      "c.mjs": `export const half = { formats: ["x"] }`,
      "d.mjs": `export const json = ${plugin("json")}`,
    })
    const { registry, changes } = setUp()
    const [b, c] = [join(folder, "b.mjs"), join(folder, "c.mjs")]
    await expect(registry.discover(folder, { strict: true })).rejects.toMatchObject({
      code: "TASKER_DISCOVERY_FAILED",
      message: expect.stringMatching(
        new RegExp(
          `^folder "${folder}" was searched with 2 failures:\n  ${b}: .*no licence\n  ${c} \\(half\\): this is`,
        ),
      ),
      cause: { message: `file "${b}" cannot be loaded: no licence`, cause: { message: "no licence" } },
      details: {
        folder,
        registered: [{ key: "csv" }, { key: "json" }],
        failures: [
          { file: b, exportName: null, code: "TASKER_DISCOVERY_FAILED" },
          { file: c, exportName: "half", code: "TASKER_PLUGIN_INVALID" },
        ],
      },
    })
    expect(registry.formats()).toEqual(["csv", "json"])
    expect(changes.at(-1)).toMatchObject({ operation: "discovery_failed" })
  })
})

describe("options", () => {
  test("recursive searches folders inside, but those of packages and those set aside", async () => {
    const files = {
      "b.mjs": `export const b = ${plugin("b")}`,
      "a/deep/c.mjs": `export const c = ${plugin("c")}`,
      "a/a.mjs": `export const a = ${plugin("a")}`,
      "node_modules/x/x.mjs": `export const x = ${plugin("x")}`,
      "_aside/y.mjs": `export const y = ${plugin("y")}`,
    }
    const { registered, changes } = await discover(files, { recursive: true })
    expect(registered).toEqual(["a from a/a.mjs", "c from a/deep/c.mjs", "b from b.mjs"])
    expect(changes.at(-1)).toMatchObject({ operation: "discovery_completed", failures: [] })
    expect((await discover(files)).registered).toEqual(["b from b.mjs"])
  })

  test("replace takes the place of what stands there", async () => {
    const folder = folderOf({ "csv.mjs": `export const csv = ${plugin("csv", 'version: "2"')}` })
    const { registry } = setUp()
    registry.register({ name: "csv", formats: ["csv"], async *export() {} })
    const { failures } = await registry.discover(folder)
    expect(failures).toMatchObject([{ exportName: "csv", error: { code: "TASKER_NAME_TAKEN" } }])
    await registry.discover(folder, { replace: true })
    expect(registry.get("csv").version).toBe("2")
  })

  test("timeoutMs ends the wait for a module that never comes to its end", async () => {
    const { failures } = await discover({ "a.mjs": `await new Promise(() => {})` }, { timeoutMs: 20 })
    expect(failures).toMatchObject([
      {
        file: "a.mjs",
        message: 'file "a.mjs" cannot be loaded: its top level took longer than 20 ms',
        hint: "await nothing at the top level of a module that may not come",
      },
    ])
  })

  test("that are unknown or out of range are refused", async () => {
    const { registry, changes } = setUp()
    // What a JavaScript user may pass.
    const options = { recursiv: true, strict: 1, timeoutMs: 0, correlationId: "", replace: "yes" } as unknown
    await expect(registry.discover("plugins", options as DiscoverOptions)).rejects.toMatchObject({
      code: "TASKER_OPTION_INVALID",
      details: {
        problems: ["recursiv", "strict", "timeoutMs", "correlationId", "replace"].map((path) => ({ path })),
      },
    })
    for (const folder of ["", new URL("http://localhost/plugins")]) {
      await expect(registry.discover(folder)).rejects.toMatchObject({
        code: "TASKER_OPTION_INVALID",
        message: expect.stringContaining("expected folder to be a path or a file: URL"),
      })
    }
    expect(changes).toEqual([])
  })
})

describe("a folder", () => {
  test("may be given as a file URL", async () => {
    const folder = folderOf({ "a.mjs": `export const a = ${plugin("a")}` })
    const { registry } = setUp()
    const { registered } = await registry.discover(pathToFileURL(folder))
    expect(registered).toEqual([{ key: "a", file: join(folder, "a.mjs") }])
  })

  test("that is empty holds nothing, and that is no failure", async () => {
    const { registered, failures, changes } = await discover({})
    expect([registered, failures]).toEqual([[], []])
    expect(changes).toMatchObject([{ operation: "discovery_completed" }])
  })

  test.each([
    ["is not there", "missing", "cannot be read: there is no such folder", "give a path that is right"],
    ["is a file", "a.mjs", "cannot be read: it is no folder", undefined],
  ])("that %s is a failure", async (_, name, message, hint) => {
    const folder = join(folderOf({ "a.mjs": "" }), name)
    const { registry, changes } = setUp()
    const { failures } = await registry.discover(folder)
    expect(failures).toMatchObject([{ file: folder, exportName: null, error: { code: "TASKER_DISCOVERY_FAILED" } }])
    expect(failures[0]?.error.message).toBe(`folder "${folder}" ${message}`)
    if (hint !== undefined) expect(failures[0]?.error.hint).toContain(hint)
    expect(changes).toMatchObject([{ operation: "discovery_failed", folder }])
    await expect(registry.discover(folder, { strict: true })).rejects.toThrow(/was searched with a failure:/)
  })

  test("that is searched twice changes nothing the second time", async () => {
    const folder = folderOf({ "a.mjs": `export const a = ${plugin("a")}` })
    const { registry, changes } = setUp()
    const first = await registry.discover(folder)
    expect(await registry.discover(folder)).toEqual(first)
    expect(changes.map(({ operation }) => operation)).toEqual([
      "registered",
      "discovery_completed",
      "discovery_completed",
    ])
  })

  test("may hold links to files; a file that cannot be read is a failure", async () => {
    const elsewhere = folderOf({ "b.mjs": `export const b = ${plugin("b")}` })
    const folder = folderOf({ "locked.mjs": `export const c = ${plugin("c")}` })
    symlinkSync(join(elsewhere, "b.mjs"), join(folder, "b.mjs"))
    symlinkSync(join(elsewhere, "gone.mjs"), join(folder, "gone.mjs"))
    chmodSync(join(folder, "locked.mjs"), 0)
    const { registry } = setUp()
    const { registered, failures } = await registry.discover(folder)
    // Root may read everything.
    const locked = process.getuid?.() === 0 ? [] : ["locked.mjs"]
    expect(registered.map(({ key }) => key)).toEqual(locked.length === 0 ? ["b", "c"] : ["b"])
    expect(failures.map(({ file }) => file)).toEqual(["gone.mjs", ...locked].map((name) => join(folder, name)))
  })

  test("with a module compiled beside its source gives the JavaScript only", async () => {
    const { registered, failures } = await discover({
      "a.js": `exports.a = ${plugin("a")}`,
      "a.ts": `throw new Error("never loaded")`,
      "b.ts": `const name: string = "b"; export const b = { name, formats: [name], async *export() {} }`,
    })
    // vitest loads TypeScript, as Node does from 22.18.
    expect([registered, failures]).toEqual([["a from a.js", "b from b.ts"], []])
  })
})

describe("subscribers", () => {
  test("are found by what they are told of, and what emits events is none", async () => {
    const folder = folderOf({
      "a.mjs": `export const audit = { name: "audit", on: { "*": () => {} } }`,
      "b.mjs": `import { EventEmitter } from "node:events"; export const bus = new EventEmitter()`,
      "c.mjs": `export const late = { name: "late", on: { "step.complted": () => {} } }`,
    })
    const registry = createSubscriberRegistry({ onChange: () => {}, connect: () => () => {} })
    const { registered, failures } = await registry.discover(folder)
    expect(registered).toEqual([{ key: "audit", file: join(folder, "a.mjs") }])
    expect(failures).toMatchObject([
      { file: join(folder, "b.mjs"), error: { message: expect.stringContaining("exports no subscriber") } },
      { file: join(folder, "c.mjs"), exportName: "late", error: { code: "TASKER_SUBSCRIBER_INVALID" } },
    ])
  })
})
