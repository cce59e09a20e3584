import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Tasker } from "@tasker/engine"
import { createTestTasker, runTask } from "@tasker/engine/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
import { createMetrics, type Metrics } from "./create-metrics.ts"
import { METRICS } from "./metric-catalogue.ts"
import { parseExposition, valueOf } from "./test-exposition.ts"
import { testWorkflows } from "./test-workflows.ts"

const { order } = testWorkflows({ wait: async () => {} })
let tasker: Tasker
let metrics: Metrics
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tasker-metrics-"))
  tasker = await createTestTasker({ workflows: [order] })
  metrics = createMetrics(tasker)
  await runTask(tasker, order, null)
})
afterAll(async () => {
  metrics.stop()
  await tasker.close()
  await rm(folder, { recursive: true })
})

async function exportTo(file: string, format: string): Promise<string> {
  const to = join(folder, file)
  await tasker.export({ what: "metrics", format, to, metrics: () => metrics.registry.getMetricsAsJSON() })
  return await readFile(to, "utf8")
}

async function exportsCounted(outcome: string): Promise<number | undefined> {
  await tasker.events.drained()
  return valueOf(parseExposition(await metrics.metrics()), METRICS.exports.name, { what: "metrics", outcome })
}

test("an export in Prometheus' text says what a scrape does", async () => {
  const exported = parseExposition(await exportTo("metrics.prom", "prometheus"))
  const scraped = parseExposition(await metrics.metrics())
  const steps = ["tasker_steps_ended_total", "tasker_step_duration_seconds", "tasker_task_duration_seconds"]
  const sorted = (labels: Readonly<Record<string, string>>) =>
    Object.entries(labels)
      .map(([label, value]) => `${label}=${value}`)
      .toSorted()
  for (const name of steps) {
    const [one, other] = [exported, scraped].map((all) =>
      all
        .find((metric) => metric.name === name)
        ?.samples.map((sample) => [sample.name, sorted(sample.labels), sample.value]),
    )
    expect(one, name).toEqual(other)
    expect(one?.length, name).toBeGreaterThan(0)
  }
  expect(valueOf(exported, "tasker_steps_ended_total", { outcome: "complete" })).toBe(3)
})

test("an export as CSV has a column for each label", async () => {
  const csv = await exportTo("metrics.csv", "csv")
  const [header = "", ...rows] = csv.trimEnd().split("\r\n")
  expect(header).toContain("label_workflow")
  expect(rows.some((row) => row.includes("tasker_step_duration_seconds_bucket") && row.includes("+Inf"))).toBe(true)
})

test("exports are counted by how they ended", async () => {
  const before = (await exportsCounted("completed")) ?? 0
  await exportTo("again.json", "json")
  expect(await exportsCounted("completed")).toBe(before + 1)
  await expect(exportTo("no/such/folder/metrics.json", "json")).rejects.toMatchObject({ code: "TASKER_EXPORT_FAILED" })
  expect(await exportsCounted("failed")).toBe(1)
})
