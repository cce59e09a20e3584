import { describe, expect, test } from "vitest"
import type { Exporter } from "../core/exporter.ts"
import { createPluginRegistry } from "./plugin-registry.ts"
import type { RegistryChange } from "./registry-change.ts"

function plugin(name: string, formats: readonly string[], version?: string): Exporter {
  const members = { name, formats, async *export() {} }
  return version === undefined ? members : { ...members, version }
}

function setUp(...plugins: readonly Exporter[]) {
  const changes: RegistryChange[] = []
  const registry = createPluginRegistry({ onChange: (change) => void changes.push(change) })
  for (const one of plugins) registry.register(one)
  return { registry, changes }
}

/** What a JavaScript user may pass. */
function untyped(value: unknown): Exporter {
  return value as Exporter
}

const csv = plugin("csv", ["csv", "TSV"], "1.2.0")
const json = plugin("json", ["json"])

describe("lookup", () => {
  test("is by name, and by format whatever its case", () => {
    const { registry } = setUp(csv, json)
    expect(registry.get("csv")).toBe(csv)
    expect(registry.find("tsv")).toBeUndefined()
    expect(registry.getByFormat("tsv")).toBe(csv)
    expect(registry.getByFormat("Csv")).toBe(csv)
    expect(registry.findByFormat("xml")).toEqual([])
    expect(registry.formats()).toEqual(["csv", "json", "tsv"])
    expect(registry.list()).toEqual([csv, json])
  })

  test("of a format that several write gives the one that came last, and finds all", () => {
    const mine = plugin("acme/csv", ["csv"])
    const { registry } = setUp(csv, json, mine)
    expect(registry.getByFormat("csv")).toBe(mine)
    expect(registry.findByFormat("CSV")).toEqual([mine, csv])
    registry.unregister("acme/csv")
    expect(registry.getByFormat("csv")).toBe(csv)
  })

  test("of what is not there says what is", () => {
    const { registry } = setUp(csv, json)
    expect(() => registry.get("jsno")).toThrow(
      expect.objectContaining({
        code: "TASKER_PLUGIN_NOT_FOUND",
        message: 'no plugin is named "jsno"',
        hint: 'did you mean "json"?',
        details: { name: "jsno", names: ["csv", "json"] },
      }),
    )
    expect(() => registry.getByFormat("parquet")).toThrow(
      expect.objectContaining({
        code: "TASKER_PLUGIN_NOT_FOUND",
        message: 'no plugin writes the format "parquet"',
        hint: "register it, or check its name",
        details: { format: "parquet", formats: ["csv", "json", "tsv"] },
      }),
    )
  })

  test("a list of plugins of a format stays as it was while others register", () => {
    const { registry } = setUp(csv)
    const walked: string[] = []
    for (const { name } of registry.findByFormat("csv")) {
      walked.push(name)
      registry.register(plugin("second", ["csv"]))
    }
    expect(walked).toEqual(["csv"])
    expect(registry.findByFormat("csv")).toHaveLength(2)
  })
})

describe("register and unregister", () => {
  test("a conflict says what stands there, and replace takes its place", () => {
    const { registry, changes } = setUp(csv)
    const other = plugin("csv", ["CSV"])
    expect(() => registry.register(other)).toThrow(
      expect.objectContaining({
        code: "TASKER_NAME_TAKEN",
        message: 'plugin "csv" is already registered, version 1.2.0 for csv, tsv',
        hint: "give it another name, or pass `replace: true`",
      }),
    )
    expect(registry.register(other, { replace: true })).toBe(other)
    expect(registry.formats()).toEqual(["csv"])
    expect(() => registry.register(csv)).toThrow('plugin "csv" is already registered, for csv')
    expect(changes.map(({ operation }) => operation)).toEqual([
      "registered",
      "validation_failed",
      "replaced",
      "validation_failed",
    ])
    expect(changes[2]).toMatchObject({
      registry: "plugin",
      key: "csv",
      facts: { name: "csv", version: null, formats: ["csv"] },
      replaced: { facts: { name: "csv", version: "1.2.0", formats: ["csv", "tsv"] } },
    })
  })

  test("one that is unregistered is found by nothing any more", () => {
    const { registry } = setUp(csv, json)
    expect(registry.unregister("csv")).toBe(true)
    expect(registry.unregister("csv")).toBe(false)
    expect(registry.findByFormat("csv")).toEqual([])
    expect(registry.formats()).toEqual(["json"])
  })

  test("stats count by format", () => {
    const { registry } = setUp(csv, json, plugin("acme/csv", ["csv", "CSV"]))
    expect(registry.stats()).toEqual({
      kind: "plugin",
      count: 3,
      registeredCount: 3,
      replacedCount: 0,
      unregisteredCount: 0,
      refusedCount: 0,
      formatCount: 3,
      pluginCountByFormat: { csv: 2, json: 1, tsv: 1 },
    })
  })
})

describe("the shape of a plugin", () => {
  test("everything that is missing or misshapen is named in one error", () => {
    const { registry, changes } = setUp()
    const half = {
      name: "my csv",
      version: 2,
      format: ["csv"],
      subjects: ["task"],
      options: { comma: {} },
      export: "yes",
      onExportFailed: true,
      onExportComplete: () => {},
    }
    expect(() => registry.register(untyped(half))).toThrow(
      expect.objectContaining({
        code: "TASKER_PLUGIN_INVALID",
        message: `"my csv" is no plugin that can be registered:
  name: expected name to be text of 1 to 63 letters, digits, ".", "_", "-", "/" and "@" that starts with a letter or "@", got "my csv"
  version: expected version to be text, got 2
  formats: expected formats to be a list of formats that it writes, one or more, got nothing (rename "format" to "formats")
  subjects[0]: expected each of subjects to be one of "tasks", "steps", "history", "metrics", got "task"
  options.comma: expected comma to be an object of rule, which is text, and accepts, a function, got an object
  export: expected export to be a function, got "yes"
  onExportFailed: expected onExportFailed to be a function, got true
  onExportComplete: unknown member "onExportComplete" (did you mean "onExportCompleted"?)`,
        hint: "correct the members listed; a plugin has a name, formats and an export function at least",
        details: {
          name: "my csv",
          problems: expect.arrayContaining([expect.objectContaining({ path: "subjects[0]" })]),
        },
      }),
    )
    expect(registry.list()).toEqual([])
    expect(changes).toMatchObject([{ operation: "validation_failed", key: "my csv" }])
  })

  class Csv {
    readonly name = "csv"
    readonly formats = ["csv"]
    private readonly _options = () => {}
    async *export() {
      yield String(this._options())
    }
  }

  test.each<readonly [string, unknown, string]>([
    ["nothing", undefined, "expected a plugin, got nothing"],
    ["a list", [csv], "expected a plugin, got a list of 1"],
    ["a promise", Promise.resolve(csv), "expected a plugin, got a Promise (await it)"],
    ["a class", Csv, "expected a plugin, got the class Csv (make one: new Csv())"],
    [
      "no formats",
      plugin("x", []),
      "expected formats to be a list of formats that it writes, one or more, got an empty list",
    ],
    [
      "a gap among formats",
      { ...csv, formats: ["csv", undefined] },
      "formats[1]: expected each of formats to be text of 1",
    ],
    ["a format with a space", plugin("x", ["c sv"]), "formats[0]: expected each of formats to be text of 1"],
    [
      "a member that throws",
      {
        ...json,
        get formats(): never {
          throw new Error("not yet")
        },
      },
      "formats: reading formats threw: not yet",
    ],
    ["options that are none", { ...json, options: [] }, "expected options to be an object of rules, got an empty list"],
  ])("refuses %s", (_, value, message) => {
    const { registry } = setUp()
    expect(() => registry.register(untyped(value))).toThrow(
      expect.objectContaining({ code: "TASKER_PLUGIN_INVALID", message: expect.stringContaining(message) }),
    )
  })

  test("takes objects of classes, whatever else they have", () => {
    const { registry } = setUp()
    const made = new Csv()
    expect(registry.register(made)).toBe(made)
  })

  test("takes members that the interface does not know", () => {
    const { registry } = setUp()
    const made = { ...json, session: "x", rows: 0, onStart: () => {} }
    expect(registry.register(made)).toBe(made)
  })

  test("takes every member that there is", () => {
    const { registry } = setUp()
    const whole: Exporter = {
      ...csv,
      description: "Comma-separated",
      subjects: ["tasks", "metrics"],
      options: { separator: { rule: "one character", accepts: (value) => typeof value === "string" } },
      onExportRequested: () => {},
      onExportCompleted: async () => {},
      onExportFailed: () => {},
    }
    expect(registry.register(whole)).toBe(whole)
  })
})
