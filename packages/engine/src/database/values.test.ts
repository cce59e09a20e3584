import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { TestDatabase } from "./test-database.ts"
import { testDatabases } from "./test-database.ts"
import { parseArray } from "./values.ts"

describe.each(testDatabases())("values on $kind", ({ open }) => {
  let opened: TestDatabase

  beforeAll(async () => {
    opened = await open()
  })
  afterAll(async () => await opened.close())

  async function select(expression: string, values?: readonly unknown[]): Promise<unknown> {
    const text = `select ${expression} as value`
    const rows = await opened.database.query<{ value: unknown }>(values === undefined ? { text } : { text, values })
    return rows[0]?.value
  }

  it.each<[string, unknown]>([
    ["1::int2", 1],
    ["-7::int4", -7],
    ["9007199254740991::int8", 9007199254740991],
    ["0.5::float4", 0.5],
    ["1e300::float8", 1e300],
    ["'NaN'::float8", NaN],
    ["count(*)", 1],
    ["sum(3::int4)", 3],
    ["12.340::numeric", "12.340"],
    ["true", true],
    ["false", false],
    ["'text'::text", "text"],
    ["'0193e0a0-0000-7000-8000-000000000000'::uuid", "0193e0a0-0000-7000-8000-000000000000"],
    ["'2026-03-29 01:30:00.123456+00'::timestamptz", new Date("2026-03-29T01:30:00.123Z")],
    ["'2026-03-29 01:30:00+00'::timestamptz", new Date("2026-03-29T01:30:00Z")],
    ["'2026-03-29 01:30:00.999999+00'::timestamptz", new Date("2026-03-29T01:30:00.999Z")],
    ["'0044-03-15 12:00:00+00'::timestamptz", new Date("0044-03-15T12:00:00Z")],
    ["'0044-03-15 12:00:00+00 BC'::timestamptz", new Date("-000043-03-15T12:00:00Z")],
    ["'infinity'::timestamptz", Infinity],
    ["null::timestamptz", null],
    ["'2026-03-29 01:30:00'::timestamp", "2026-03-29 01:30:00"],
    ["'2026-03-29'::date", "2026-03-29"],
    ["interval '90 seconds'", "00:01:30"],
    [`'{"a":[1,null,"x"]}'::json`, { a: [1, null, "x"] }],
    [`'{"a":[1,null,"x"]}'::jsonb`, { a: [1, null, "x"] }],
    ["'null'::jsonb", null],
    ["null::int4", null],
    ["'\\x6869'::bytea", Buffer.from("hi")],
    ["array[1,2,null]::int2[]", [1, 2, null]],
    ["array[1,2]::int4[]", [1, 2]],
    ["array[1,9007199254740991]::int8[]", [1, 9007199254740991]],
    ["array[0.5]::float8[]", [0.5]],
    ["array[1.50]::numeric[]", ["1.50"]],
    ["array[true,false,null]", [true, false, null]],
    ["'{}'::text[]", []],
    [
      `array['a', 'b,c', 'd"e', 'f\\g', 'NULL', null, '', '{x}', 'ü']`,
      ["a", "b,c", 'd"e', "f\\g", "NULL", null, "", "{x}", "ü"],
    ],
    [
      "array[['a','b'],['c','d']]",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "array[[1,2],[3,4]]",
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ["'[0:1]={1,2}'::int4[]", [1, 2]],
    ["array['2026-01-01T00:00:00Z'::timestamptz]", [new Date("2026-01-01T00:00:00Z")]],
    ["array['0193e0a0-0000-7000-8000-000000000000'::uuid]", ["0193e0a0-0000-7000-8000-000000000000"]],
    [`array['{"a":"b,\\"c"}'::jsonb, '[1]'::jsonb]`, [{ a: 'b,"c' }, [1]]],
  ])("%s is read as JavaScript knows it", async (expression, expected) => {
    expect(await select(expression)).toStrictEqual(expected)
  })

  it.each<[string, unknown, unknown]>([
    ["$1::int4", 5, 5],
    ["$1::int8", 9007199254740991, 9007199254740991],
    ["$1::int8", 12n, 12],
    ["$1::numeric", "1.10", "1.10"],
    ["$1::float8", 1e-7, 1e-7],
    ["$1::text", "it's", "it's"],
    ["$1::text", 5, "5"],
    ["$1::bool", true, true],
    ["$1::text", null, null],
    ["$1::text", undefined, null],
    ["$1::jsonb", { a: "b" }, { a: "b" }],
    ["$1::jsonb", '[1,{"a":2}]', [1, { a: 2 }]],
    ["$1::jsonb", '"text"', "text"],
    ["$1::timestamptz", new Date("2026-10-25T00:30:00.250Z"), new Date("2026-10-25T00:30:00.250Z")],
    ["$1::bytea", new Uint8Array([0, 255]), Buffer.from([0, 255])],
    ["$1::int4[]", [1, null, 3], [1, null, 3]],
    ["$1::int4[]", [], []],
    ["$1::text[]", ["a,b", 'c"d', "e\\f", "", "NULL", null, "{}"], ["a,b", 'c"d', "e\\f", "", "NULL", null, "{}"]],
    [
      "$1::text[]",
      ["line\nbreak", "tab\t\\", "\u{1f600}", "\u007f", "ü", "\u2028"],
      ["line\nbreak", "tab\t\\", "\u{1f600}", "\u007f", "ü", "\u2028"],
    ],
    ["$1::bool[]", [true, false], [true, false]],
    ["$1::jsonb[]", [{ a: 'x"y' }, "[1]", null], [{ a: 'x"y' }, [1], null]],
    ["$1::timestamptz[]", [new Date(0)], [new Date(0)]],
    ["$1::bytea[]", [Buffer.from("hi")], [Buffer.from("hi")]],
    ["$1::text[]", [["a"], ["b"]], [["a"], ["b"]]],
  ])("%s takes %o", async (expression, value, expected) => {
    expect(await select(expression, [value])).toStrictEqual(expected)
  })

  it("an error of the server carries its SQLSTATE", async () => {
    await expect(select("1 / 0")).rejects.toMatchObject({ code: "22012", message: "division by zero" })
  })
})

describe(parseArray, () => {
  it("reads a literal of ten thousand quoted elements", () => {
    const elements = Array.from({ length: 10_000 }, (_, index) => `{"n":${index}}`)
    const literal = `{${elements.map((element) => `"${element.replaceAll('"', '\\"')}"`).join(",")}}`
    expect(parseArray(literal, (text) => text)).toStrictEqual(elements)
  })
})
