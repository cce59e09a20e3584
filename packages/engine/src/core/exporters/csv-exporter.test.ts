import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { checkOptions } from "../check-options.ts"
import { csvExporter, type CsvOptions } from "./csv-exporter.ts"
import { exported, sampleRecord, stepRecord, taskRecord } from "./test-records.ts"

/** What RFC 4180 says, character by character. */
function parseCsv(text: string, separator = ","): readonly (readonly string[])[] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ""
  let isQuoted = false
  const endCell = (): void => {
    row.push(cell)
    cell = ""
  }
  for (let index = 0; index < text.length; index++) {
    const unit = text[index] ?? ""
    if (isQuoted && unit === '"' && text[index + 1] === '"') cell += text[++index]
    else if (unit === '"') isQuoted = !isQuoted
    else if (isQuoted) cell += unit
    else if (unit === separator) endCell()
    else if (text.startsWith("\r\n", index)) {
      endCell()
      rows.push(row)
      row = []
      index += 1
    } else cell += unit
  }
  expect([row, cell]).toEqual([[], ""])
  return rows
}

/** The cells that a program finds that has another separator set, and its own idea of where a quoted text begins. */
function readCells(text: string, separator: string, quote: "anywhere" | "in front" | "nowhere"): readonly string[] {
  const cells: string[] = []
  let cell = ""
  let isQuoted = false
  const turns = () => isQuoted || quote === "anywhere" || (quote === "in front" && cell === "")
  for (let index = 0; index < text.length; index++) {
    const unit = text[index] ?? ""
    if (isQuoted && unit === '"' && text[index + 1] === '"') cell += text[++index]
    else if (unit === '"' && turns()) isQuoted = !isQuoted
    else if (!isQuoted && [separator, "\r", "\n"].includes(unit)) {
      cells.push(cell)
      cell = ""
    } else cell += unit
  }
  return [...cells, cell]
}

/** What was put into a text, each with the character after it; all of the cell when that is not how it came about. */
function addedTo(text: string, cell = ""): string {
  let added = ""
  let place = 0
  for (const [index, unit] of cell.split("").entries()) {
    if (unit === text[place]) place += 1
    else added += unit + (cell[index + 1] ?? "")
  }
  return place === text.length ? added : cell
}

async function cellsOf(reason: string | null, options: CsvOptions = {}): Promise<string> {
  const csv = await exported(csvExporter, [taskRecord({ reason })], { columns: ["reason"], headers: false, ...options })
  return csv.slice(0, -2)
}

describe("csvExporter", () => {
  test("writes a row of names, and a row for each record", async () => {
    const csv = await exported(csvExporter, [stepRecord({ errorMessage: 'a "bad", thing' })], {})
    expect(csv).toBe(
      "taskId,namespace,workflow,version,step,state,attempts,maxAttempts,startedAt,finishedAt,durationMs,errorName,errorCode,errorMessage\r\n"
        + '01900000-0000-7000-8000-000000000001,shop,order,1.0.0,charge,error,3,3,2030-01-01T00:00:00.000Z,2030-01-01T00:00:00.000Z,0,Error,,"a ""bad"", thing"\r\n',
    )
  })

  test("without records, writes the names", async () => {
    expect(await exported(csvExporter, [], { columns: ["taskId", "state"] })).toBe("taskId,state\r\n")
  })

  test("columns: chooses fields, orders them, and reaches inside of them", async () => {
    const task = taskRecord({ attributes: { customer: { id: 7 } } })
    const columns = ["state", "taskId", "attributes.customer.id", "attributes.customer", "attributes.constructor"]
    const [names, row] = parseCsv(await exported(csvExporter, [task], { columns }))
    expect(names).toEqual(columns)
    expect(row).toEqual(["complete", task.taskId, "7", '{"id":7}', ""])
  })

  test("columns: an object heads them by other names", async () => {
    const csv = await exported(csvExporter, [taskRecord()], {
      columns: { workflow: "Workflow", durationMs: "Took, ms" },
    })
    expect(csv).toBe('Workflow,"Took, ms"\r\norder,1500\r\n')
  })

  test("columns: refuses a field that the records have not", async () => {
    await expect(exported(csvExporter, [taskRecord()], { columns: ["taskid"] })).rejects.toMatchObject({
      code: "TASKER_OPTION_INVALID",
      message: 'expected columns to be fields of tasks, got "taskid"',
      hint: 'did you mean "taskId"?',
    })
  })

  test("separator, rowSeparator, headers, byteOrderMark", async () => {
    const columns = ["workflow", "reason"]
    const tasks = [taskRecord({ reason: "a;b" })]
    const options = { columns, separator: ";", rowSeparator: "\n", headers: false, byteOrderMark: true }
    expect(await exported(csvExporter, tasks, options)).toBe('\uFEFForder;"a;b"\n')
    expect(await exported(csvExporter, tasks, { columns, separator: "\t", headers: false })).toBe('order\t"a;b"\r\n')
  })

  test("flattenLabels: each label has a column, or all have one", async () => {
    const samples = [
      sampleRecord({ labels: { outcome: "complete" } }),
      sampleRecord({ labels: { namespace: "shop", outcome: "error" }, value: 2.5 }),
    ]
    expect(parseCsv(await exported(csvExporter, samples, { columns: ["name", "labels", "value"] }))).toEqual([
      ["name", "label_namespace", "label_outcome", "value"],
      ["tasks_total", "", "complete", "1"],
      ["tasks_total", "shop", "error", "2.5"],
    ])
    expect(parseCsv(await exported(csvExporter, samples, { columns: { labels: "l" } }))[0]).toEqual([
      "l_namespace",
      "l_outcome",
    ])
    const whole = { columns: ["labels", "label_outcome"], flattenLabels: false }
    expect(parseCsv(await exported(csvExporter, samples, whole))).toEqual([
      ["labels", "label_outcome"],
      ['{"outcome":"complete"}', "complete"],
      ['{"namespace":"shop","outcome":"error"}', "error"],
    ])
  })

  test("nothing is an empty cell, and empty text a quoted one", async () => {
    expect(await cellsOf(null)).toBe("")
    expect(await cellsOf("")).toBe('""')
  })

  test("numbers stay numbers, whatever their sign", async () => {
    const samples = [-1.5, 1e21, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((value) =>
      sampleRecord({ value, labels: { le: "+Inf" } }),
    )
    const csv = await exported(csvExporter, samples, { columns: ["value", "label_le"], headers: false })
    expect(csv).toBe("-1.5,+Inf\r\n1e+21,+Inf\r\nNaN,+Inf\r\n+Inf,+Inf\r\n-Inf,+Inf\r\n")
  })

  test.each(["-1", "+49123", "-1.5e-7", "12"])("text that is a number stays as it is: %s", async (text) => {
    expect(await cellsOf(text)).toBe(text)
  })

  test.each([
    "=1+1",
    "+1+1",
    "-1-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    "  =1",
    "\u00A0=1",
    "\uFEFF=1",
    "＝1+1",
    "－1－1",
    '=HYPERLINK("https://example.com?x="&A1)',
    "=cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
  ])("text that a spreadsheet would run gets a quote in front: %j", async (text) => {
    expect(await cellsOf(text)).toBe(`"'${text.replaceAll('"', '""')}"`)
    expect(await cellsOf(text, { formulas: "keep" })).not.toContain("'=")
  })

  test.each(["a=1", "1-1", "a@example.com", "(=1)"])("text that only looks like a formula stays: %s", async (text) => {
    expect(await cellsOf(text)).toBe(text)
  })

  test('formulas: "keep" leaves text as it is', async () => {
    expect(await cellsOf("=1+1", { formulas: "keep" })).toBe("=1+1")
  })

  test("names of columns are as safe as cells", async () => {
    expect(await exported(csvExporter, [], { columns: { state: "=1+1" } })).toBe(`"'=1+1"\r\n`)
  })

  test.each([
    ["x;=1+1;b", "x;'=1+1;b"],
    ["x,+1+1", "x,'+1+1"],
    ["x|@SUM(A1)", "x|'@SUM(A1)"],
    ["a\t=1\r\n -1-1", "a\t'=1\r\n '-1-1"],
    ["a;,=1", "a;,'=1"],
    ['a; "=1', "a; \"'=1"],
    ["=1;=1", "'=1;'=1"],
    ["a;-1,b", "a;'-1,b"],
    ["a,-1+1", "a,'-1+1"],
    ["a,-1;b", "a,'-1;b"],
    ["\t=1", "'\t'=1"],
    ["\r=1", "'\r'=1"],
    ["\n=1", "'\n'=1"],
    ["\t;=1", "'\t;'=1"],
    ["a;＝1", "a;'＝1"],
  ])("so does what another separator would make one: %j", async (text, safe) => {
    expect(await cellsOf(text)).toBe(`"${safe.replaceAll('"', '""')}"`)
    expect(await cellsOf(text, { formulas: "keep" })).toBe(`"${text.replaceAll('"', '""')}"`)
  })

  test("lists and objects stay JSON, and their numbers what they were", async () => {
    const attributes = { list: [1, -5, -2.5e-7, [-1]], text: ["-b", "-c", "=d"], "=e": -1 }
    const csv = await exported(csvExporter, [taskRecord({ attributes })], { columns: ["attributes"], headers: false })
    expect(JSON.parse(parseCsv(csv)[0]?.[0] ?? "")).toEqual({
      list: attributes.list,
      text: ["-b", "'-c", "'=d"],
      "'=e": -1,
    })
  })

  test("a megabyte of blanks takes no longer for them", async () => {
    const text = `${"\t".repeat(1_000_000)}a`
    const begun = performance.now()
    expect(await cellsOf(text)).toBe(`"'${text}"`)
    expect(performance.now() - begun).toBeLessThan(5_000)
  })

  const anyText = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom("=", "+", "-", "@", '"', ",", ";", "|", "\r", "\n", "\t", " ", "a", "1", "'") }),
  )

  test("whatever text there is, a reader gets it back, with nothing but quotes in front of what looks like a formula", async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anyText, fc.constantFrom(",", ";", "\t"), async (reason, initiator, separator) => {
        const task = taskRecord({ reason, initiator })
        const csv = await exported(csvExporter, [task, task], { columns: ["reason", "initiator"], separator })
        const [, ...rows] = parseCsv(csv, separator)
        expect(rows).toHaveLength(2)
        for (const row of rows) {
          expect(addedTo(reason, row[0])).toMatch(/^(?:'[=+\-@\s])*$/)
          expect(addedTo(initiator, row[1])).toMatch(/^(?:'[=+\-@\s])*$/)
          for (const cell of row) expect(cell).not.toMatch(/^[\s\uFEFF]*[=@]|^[\t\r\n]|^[+-][^\dI]/)
        }
      }),
    )
  })

  test("whatever separator a reader has, and whatever it takes for a quote, no cell is a formula", async () => {
    const separators = fc.constantFrom(",", ";", "\t", "|")
    const quotes = fc.constantFrom("anywhere", "in front", "nowhere")
    await fc.assert(
      fc.asyncProperty(
        anyText,
        anyText,
        separators,
        separators,
        quotes,
        async (reason, tag, separator, other, quote) => {
          const task = taskRecord({ reason, initiator: reason, tags: [tag, reason] })
          const columns = ["workflow", "reason", "tags", "initiator"]
          const csv = await exported(csvExporter, [task, task], { columns, separator })
          for (const cell of readCells(csv, other, quote)) {
            expect(cell).not.toMatch(
              /^[\s\uFEFF]*(?:[=@]|[+-](?!(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Inf)(?:$|["\]},;|\t\r\n])))/,
            )
          }
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test.each<readonly [string, unknown]>([
    ["columns", []],
    ["columns", ["state", "state"]],
    ["columns", { state: "" }],
    ["separator", ",,"],
    ["separator", '"'],
    ["separator", "\n"],
    ["separator", "a"],
    ["separator", "="],
    ["separator", "-"],
    ["rowSeparator", "\r"],
    ["headers", "yes"],
    ["flattenLabels", 1],
    ["formulas", "run"],
    ["byteOrderMark", null],
    ["seperator", ";"],
  ])("declares that %s cannot be %j", (option, value) => {
    const check = () => checkOptions("csv", { [option]: value }, csvExporter.options ?? {}, "TASKER_OPTION_INVALID")
    expect(check).toThrow(option)
  })
})
