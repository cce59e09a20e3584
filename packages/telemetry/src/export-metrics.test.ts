import { type ExportRequest, createTasker, silentLogger, type Tasker } from "@tasker/engine"
import { PassThrough } from "node:stream"
import { text } from "node:stream/consumers"
import { Counter, Gauge, Histogram, Registry, Summary } from "prom-client"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { prometheusPrograms, runPromtool } from "./metrics/test-prometheus.ts"

const programs = await prometheusPrograms(process.env["CI"] !== undefined)

describe("exporting what prom-client counted", () => {
  let tasker: Tasker
  const register = new Registry()

  beforeAll(async () => {
    tasker = await createTasker({ url: "pglite:memory", logger: silentLogger })
    const registers = [register]
    const odd = 'a "quoted" \\ back\nslash'
    const labelNames = ["step", "outcome"] as const
    const counted = new Counter({ name: "tasks_total", help: odd, labelNames, registers })
    counted.inc({ step: "a", outcome: "complete" }, 3)
    counted.inc({ step: odd, outcome: "error" })
    counted.inc({ outcome: "error" })
    new Gauge({ name: "slots_busy", help: "Slots in use.", registers }).set(-1.5)
    const took = new Histogram({
      name: "step_seconds",
      help: "How long.",
      labelNames,
      buckets: [0.1, 1, 10],
      registers,
    })
    for (const seconds of [0.05, 0.5, 100]) took.observe({ step: "a" }, seconds)
    took.observe({ step: "b" }, 2)
    new Summary({ name: "lag_seconds", help: "How late.", percentiles: [0.5, 0.99], registers }).observe(3)
    new Counter({ name: "nothing_total", help: "Never counted.", labelNames, registers })
  })
  afterAll(async () => await tasker.close())

  async function exported(request: Pick<ExportRequest, "format" | "options">): Promise<string> {
    const to = new PassThrough()
    const metrics = async () => await register.getMetricsAsJSON()
    const [written] = await Promise.all([text(to), tasker.export({ ...request, what: "metrics", metrics, to })])
    return written
  }

  /** Lines without those of metrics that have no samples; labels sorted. */
  function linesOf(exposition: string): readonly string[] {
    return exposition
      .split("\n")
      .filter((line) => line !== "" && !line.includes("nothing_total"))
      .map((line) =>
        line.replace(
          /\{(.*)\}/,
          (_whole, labels: string) =>
            `{${[...labels.matchAll(/\w+="(?:[^"\\]|\\.)*"/g)].map(String).toSorted().join(",")}}`,
        ),
      )
  }

  test("gives the text that prom-client gives", async () => {
    expect(linesOf(await exported({ format: "prometheus" }))).toEqual(linesOf(await register.metrics()))
  })

  test("gives rows with a column for each label", async () => {
    const csv = await exported({ format: "csv", options: { columns: ["name", "labels", "value"] } })
    const rows = csv.split("\r\n")
    expect(rows[0]).toBe("name,label_le,label_outcome,label_quantile,label_step,value")
    expect(rows).toContain("tasks_total,,complete,,a,3")
    expect(rows).toContain("step_seconds_bucket,+Inf,,,a,3")
    expect(rows).toContain("slots_busy,,,,,-1.5")
  })

  test.skipIf(programs === undefined)("promtool finds nothing to say about it", async () => {
    const input = await exported({ format: "prometheus" })
    expect(input).toContain("tasks_total{")
    expect(await runPromtool(programs?.promtool ?? "", ["check", "metrics"], { input })).toEqual({
      code: 0,
      output: "",
    })
  })
})
