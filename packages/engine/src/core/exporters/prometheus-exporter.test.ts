import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { SampleRecord } from "../exporter.ts"
import { prometheusExporter } from "./prometheus-exporter.ts"
import { exported, sampleRecord, taskRecord } from "./test-records.ts"

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: string
  readonly timestamp?: number
}

interface Family {
  help?: string
  type?: string
  readonly samples: Sample[]
}

/** Reads the format as strictly as its specification is, and throws where a line is none. */
function parseExposition(text: string): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>()
  let current: string | undefined
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line does not end")
  for (const line of text.split("\n").slice(0, -1)) {
    const [, keyword, name = current, rest = ""] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/s.exec(line) ?? []
    if (name === undefined) throw new Error(`a sample comes before its metric: ${line}`)
    if (name !== current && families.has(name)) throw new Error(`${name} is in two places`)
    const family: Family = families.get(name) ?? { samples: [] }
    families.set(name, family)
    current = name
    if (keyword === undefined) family.samples.push(parseSample(line))
    else describeFamily(family, keyword, rest)
  }
  return families
}

function describeFamily(family: Family, keyword: string, rest: string): void {
  if (family.samples.length > 0) throw new Error(`${keyword} comes after samples`)
  if (keyword === "HELP") {
    if (family.help !== undefined) throw new Error("a metric has two helps")
    family.help = rest.replaceAll(/\\(.)/g, (_whole, escaped) => unescape(String(escaped), "\\n"))
  } else {
    if (family.type !== undefined) throw new Error("a metric has two types")
    if (!/^(counter|gauge|histogram|summary|untyped)$/.test(rest)) throw new Error(`${rest} is no type`)
    family.type = rest
  }
}

function parseSample(line: string): Sample {
  const match =
    /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]\d+)?)(?: (\d+))?$/.exec(
      line,
    )
  if (match === null) throw new Error(`this is no sample: ${line}`)
  const labels: Record<string, string> = {}
  for (const [, label, value] of (match[2] ?? "").matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
    if (Object.hasOwn(labels, label!)) throw new Error(`a label occurs twice: ${line}`)
    labels[label!] = value!.replaceAll(/\\(.)/g, (_whole, escaped) => unescape(String(escaped), '\\n"'))
  }
  const timestamp = match[4] === undefined ? {} : { timestamp: Number(match[4]) }
  return { name: match[1]!, labels, value: match[3]!, ...timestamp }
}

function unescape(letter: string, allowed: string): string {
  if (!allowed.includes(letter)) throw new Error(`\\${letter} is no escape here`)
  return letter === "n" ? "\n" : letter
}

function histogram(labels: Readonly<Record<string, string>>): readonly SampleRecord[] {
  const of = (name: string, value: number, more: Readonly<Record<string, string>> = {}) =>
    sampleRecord({
      metric: "duration_seconds",
      name,
      type: "histogram",
      help: "How long.",
      labels: { ...more, ...labels },
      value,
    })
  return [
    of("duration_seconds_bucket", 1, { le: "0.5" }),
    of("duration_seconds_bucket", 2, { le: "+Inf" }),
    of("duration_seconds_sum", 7.25),
    of("duration_seconds_count", 2),
  ]
}

const samples = [
  sampleRecord({ labels: { outcome: "complete", namespace: "shop" }, value: 3 }),
  sampleRecord({ labels: { outcome: "error", namespace: "shop" } }),
  sampleRecord({ metric: "slots", type: "gauge", help: "Slots.", value: -2.5e-7 }),
  ...histogram({ step: "a" }),
  ...histogram({ step: "b" }),
]

describe("prometheusExporter", () => {
  test("writes HELP and TYPE once for each metric, and every part of a histogram", async () => {
    expect(await exported(prometheusExporter, samples, {})).toBe(`# HELP tasks_total Tasks.
# TYPE tasks_total counter
tasks_total{namespace="shop",outcome="complete"} 3
tasks_total{namespace="shop",outcome="error"} 1
# HELP slots Slots.
# TYPE slots gauge
slots -2.5e-7
# HELP duration_seconds How long.
# TYPE duration_seconds histogram
duration_seconds_bucket{le="0.5",step="a"} 1
duration_seconds_bucket{le="+Inf",step="a"} 2
duration_seconds_sum{step="a"} 7.25
duration_seconds_count{step="a"} 2
duration_seconds_bucket{le="0.5",step="b"} 1
duration_seconds_bucket{le="+Inf",step="b"} 2
duration_seconds_sum{step="b"} 7.25
duration_seconds_count{step="b"} 2
`)
  })

  test("is read by a parser as strict as the format", async () => {
    const families = parseExposition(await exported(prometheusExporter, samples, {}))
    expect([...families].map(([name, family]) => [name, family.type, family.help, family.samples.length])).toEqual([
      ["tasks_total", "counter", "Tasks.", 2],
      ["slots", "gauge", "Slots.", 1],
      ["duration_seconds", "histogram", "How long.", 8],
    ])
  })

  test("whatever text labels and helps have, a reader gets it back", async () => {
    const text = fc.string({ unit: fc.constantFrom("\\", '"', "\n", "n", "a", "é", "}", ",", " ") })
    await fc.assert(
      fc.asyncProperty(text, text, async (help, label) => {
        const families = parseExposition(
          await exported(prometheusExporter, [sampleRecord({ help, labels: { label } })], {}),
        )
        const family = families.get("tasks_total")!
        expect(family.help ?? "").toBe(help)
        expect(family.samples[0]!.labels).toEqual({ label })
      }),
    )
  })

  test("writes what is no number as Prometheus has it", async () => {
    const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e21, 0]
    const records = odd.map((value, index) => sampleRecord({ value, type: "gauge", labels: { index: String(index) } }))
    const families = parseExposition(await exported(prometheusExporter, records, {}))
    expect(families.get("tasks_total")!.samples.map(({ value }) => value)).toEqual([
      "NaN",
      "+Inf",
      "-Inf",
      "1e+21",
      "0",
    ])
  })

  test("timestamps: says when each sample was taken", async () => {
    const families = parseExposition(await exported(prometheusExporter, [sampleRecord()], { timestamps: true }))
    expect(families.get("tasks_total")!.samples[0]!.timestamp).toBe(Date.parse("2030-01-01T00:00:00Z"))
  })

  test("without metrics, writes nothing; and of other records nothing either", async () => {
    expect(await exported(prometheusExporter, [], {})).toBe("")
    expect(await exported(prometheusExporter, [taskRecord()], {})).toBe("")
  })

  test.each<readonly [string, readonly SampleRecord[], string]>([
    [
      "a metric in two places",
      [sampleRecord(), sampleRecord({ metric: "a" }), sampleRecord()],
      "tasks_total in two places",
    ],
    [
      "a series twice",
      [sampleRecord({ labels: { a: "1", b: "2" } }), sampleRecord({ labels: { b: "2", a: "1" } })],
      'tasks_total{a="1",b="2"} twice',
    ],
    ["a metric with a name of its own", [sampleRecord({ metric: "tasks-total" })], '"tasks-total"'],
    ["a sample of another metric", [sampleRecord({ name: "other" })], 'tasks_total, a counter, got "other"'],
    ["a bucket of a counter", [sampleRecord({ name: "tasks_total_bucket" })], '"tasks_total_bucket"'],
    ["a label with a name of its own", [sampleRecord({ labels: { "a-b": "1" } })], '"a-b"'],
  ])("refuses %s, which Prometheus would", async (_what, records, message) => {
    await expect(exported(prometheusExporter, records, {})).rejects.toMatchObject({
      code: "TASKER_EXPORT_FAILED",
      message: expect.stringContaining(message),
    })
  })
})
