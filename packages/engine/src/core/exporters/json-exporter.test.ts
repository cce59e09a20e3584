import { describe, expect, test } from "vitest"
import { checkOptions } from "../check-options.ts"
import { jsonExporter, type JsonOptions } from "./json-exporter.ts"
import { jsonLinesExporter } from "./json-lines-exporter.ts"
import { exported, sampleRecord, taskRecord } from "./test-records.ts"

const tasks = [taskRecord({ reason: 'two\nlines, "quoted"' }), taskRecord({ state: "error", tags: ["a"] })]

describe("jsonExporter", () => {
  test("writes a list, with each record on its line", async () => {
    const json = await exported(jsonExporter, tasks, { fields: ["workflow", "state"] })
    expect(json).toBe('[\n{"workflow":"order","state":"complete"},\n{"workflow":"order","state":"error"}\n]\n')
  })

  test("writes every field, as JSON has it", async () => {
    const { kind: _kind, ...fields } = tasks[1]!
    expect(JSON.parse(await exported(jsonExporter, tasks, {}))).toEqual([
      expect.objectContaining({ reason: 'two\nlines, "quoted"' }),
      JSON.parse(JSON.stringify(fields)),
    ])
  })

  test("fields: an object writes them under other names", async () => {
    const json = await exported(jsonExporter, [taskRecord()], { fields: { workflow: "flow", "attributes.x": "x" } })
    expect(JSON.parse(json)).toEqual([{ flow: "order", x: null }])
  })

  test("fields: refuses one that the records have not", async () => {
    await expect(exported(jsonExporter, tasks, { fields: ["input"] })).rejects.toMatchObject({
      message: 'expected fields to be fields of tasks, got "input"',
    })
  })

  test("numbers that JSON has not are text, and labels an object", async () => {
    const samples = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.5].map((value) =>
      sampleRecord({ value, labels: { le: "1" } }),
    )
    expect(JSON.parse(await exported(jsonExporter, samples, { fields: ["value", "labels"] }))).toEqual([
      { value: "NaN", labels: { le: "1" } },
      { value: "+Inf", labels: { le: "1" } },
      { value: "-Inf", labels: { le: "1" } },
      { value: 1.5, labels: { le: "1" } },
    ])
  })

  test("metadata: puts the list into an object, with what is known of the export and what is added", async () => {
    const of = async (options: JsonOptions) => JSON.parse(await exported(jsonExporter, tasks, options)) as unknown
    const known = { exportId: "5f0c", what: "tasks", startedAt: "2030-01-01T00:00:00.000Z", recordCount: 2 }
    const records = [{ state: "complete" }, { state: "error" }]
    expect(await of({ fields: ["state"], metadata: true })).toEqual({ ...known, records })
    const metadata = { team: "shop", nested: { a: [1] } }
    expect(await of({ fields: ["state"], metadata })).toEqual({ ...known, records, ...metadata })
  })

  test.each([
    [{}, [{ state: "complete" }, { state: "error" }]],
    [{ metadata: { team: "shop" } }, { recordCount: 2 }],
    [{ metadata: true }, { recordCount: 2 }],
  ])("pretty: is laid out as JSON.stringify does it: %j", async (options, expected) => {
    const json = await exported(jsonExporter, tasks, { ...options, fields: ["state", "reason"], pretty: true })
    expect(json).toBe(`${JSON.stringify(JSON.parse(json), null, 2)}\n`)
    expect(JSON.parse(json)).toMatchObject(expected)
  })

  test.each([{}, { pretty: true }, { metadata: true }, { metadata: true, pretty: true }])(
    "without records it is JSON all the same: %j",
    async (options) => {
      const json: unknown = JSON.parse(await exported(jsonExporter, [], options))
      expect(json).toEqual("metadata" in options ? expect.objectContaining({ records: [], recordCount: 0 }) : [])
    },
  )

  const circular: Record<string, unknown> = {}
  circular["self"] = circular
  test.each<readonly [string, unknown]>([
    ["fields", "state"],
    ["fields", { state: 1 }],
    ["pretty", 2],
    ["metadata", "yes"],
    ["metadata", ["a"]],
    ["metadata", { records: 1 }],
    ["metadata", circular],
    ["feilds", ["state"]],
  ])("declares that %s cannot be what is given", (option, value) => {
    const check = () => checkOptions("json", { [option]: value }, jsonExporter.options ?? {}, "TASKER_OPTION_INVALID")
    expect(check).toThrow(option)
  })
})

describe("jsonLinesExporter", () => {
  test("writes an object on each line", async () => {
    const lines = await exported(jsonLinesExporter, tasks, { fields: { state: "s" } })
    expect(lines).toBe('{"s":"complete"}\n{"s":"error"}\n')
  })

  test("without records, writes nothing", async () => {
    expect(await exported(jsonLinesExporter, [], {})).toBe("")
  })

  test("takes fields alone", () => {
    expect(Object.keys(jsonLinesExporter.options ?? {})).toEqual(["fields"])
  })
})
