import type { EventCost } from "../measure-events.ts"
import type { Flatness } from "../measure-flatness.ts"
import type { ObservabilityCost } from "../measure-observability.ts"
import type { WorkloadResult } from "../measure-workload.ts"

type Columns<Row> = Readonly<Record<string, (row: Row) => string>>

const WORKLOAD_COLUMNS: Columns<WorkloadResult> = {
  workload: (row) => row.workload,
  database: (row) => row.database,
  workers: (row) => String(row.workers),
  "steps/s": (row) => whole(row.stepsPerSecond),
  "running alone": (row) => whole(row.runningStepsPerSecond),
  "floor steps/s": (row) => whole(row.floorStepsPerSecond),
  "of floor": (row) => row.ratioToFloor.toFixed(2),
  "p50 ms": (row) => row.p50Ms.toFixed(1),
  "p99 ms": (row) => row.p99Ms.toFixed(1),
  "floor p50 ms": (row) => row.floorP50Ms.toFixed(1),
}

const COST_COLUMNS: Columns<WorkloadResult> = {
  workload: (row) => row.workload,
  database: (row) => row.database,
  workers: (row) => String(row.workers),
  "WAL bytes": (row) => whole(row.walBytesPerStep),
  "creating alone": (row) => whole(row.creatingWalBytesPerStep),
  "floor WAL bytes": (row) => whole(row.floorWalBytesPerStep),
  commits: (row) => row.commitsPerStep?.toFixed(4) ?? "-",
  "round trips": (row) => row.roundTripsPerStep.toFixed(4),
  "turns when idle": (row) => row.idleAdvancesPerStep.toFixed(2),
  "worker CPU µs": (row) => whole(row.workerCpuMsPerStep * 1_000),
  "server CPU µs": (row) => whole(row.serverCpuMsPerStep === null ? null : row.serverCpuMsPerStep * 1_000),
  "floor CPU µs": (row) => whole(row.floorCpuMsPerStep === null ? null : row.floorCpuMsPerStep * 1_000),
}

const FLATNESS_COLUMNS: Columns<Flatness> = {
  workload: (row) => row.workload,
  with: (row) => `${row.backlog.toLocaleString("en")} ${row.kind} steps`,
  "steps/s": (row) => whole(row.stepsPerSecond),
  "empty database, steps/s": (row) => whole(row.freshStepsPerSecond),
  ratio: (row) => row.ratioToFresh.toFixed(2),
}

const OBSERVABILITY_COLUMNS: Columns<ObservabilityCost> = {
  workload: (row) => row.workload,
  "with on": partsOf,
  "steps/s": (row) => whole(row.stepsPerSecond),
  "nothing on, steps/s": (row) => whole(row.plainStepsPerSecond),
  ratio: (row) => row.ratioToPlain.toFixed(3),
  "worker CPU µs": (row) => (row.workerCpuMsPerStep * 1_000).toFixed(1),
  "nothing on, worker CPU µs": (row) => (row.plainWorkerCpuMsPerStep * 1_000).toFixed(1),
  "sent bytes": (row) => whole(row.collectedBytesPerStep),
}

const EVENT_COLUMNS: Columns<EventCost> = {
  subscribers: (row) => String(row.subscribers),
  "asking whether anybody listens, ns": (row) => whole(row.askingNs),
  "publishing, ns": (row) => whole(row.publishingNs),
  "until all are told, ns": (row) => whole(row.untilToldNs),
}

/** What a run measured. */
export interface Measured {
  readonly results: readonly WorkloadResult[]
  readonly flatness: readonly Flatness[]
  readonly costs: readonly ObservabilityCost[]
  readonly events: readonly EventCost[]
}

/** The tables of a run, in Markdown. */
export function renderTables({ results, flatness, costs, events }: Measured): string {
  const parts: string[] = []
  if (results.length > 0) {
    parts.push("Throughput, creation of the tasks included, and latency of one task in an idle system:")
    parts.push(renderTable(results, WORKLOAD_COLUMNS))
    parts.push("What a step costs under load:")
    parts.push(renderTable(results, COST_COLUMNS))
  }
  if (flatness.length > 0) {
    parts.push("Throughput beside a long history, and beside a long queue, in turns with an empty database:")
    parts.push(renderTable(flatness, FLATNESS_COLUMNS))
  }
  if (costs.length > 0) {
    parts.push(
      `Throughput and cost per step of what observes the engine, at default settings, in turns with nothing on${of(costs)}:`,
    )
    parts.push(renderTable(costs, OBSERVABILITY_COLUMNS))
  }
  if (events.length > 0) {
    parts.push("What an event costs whoever publishes it, by the number of subscribers that listen to it:")
    parts.push(renderTable(events, EVENT_COLUMNS))
  }
  return `${parts.join("\n\n")}\n`
}

/** What was on. */
export function partsOf({ observability }: ObservabilityCost): string {
  return observability.length === 0 ? "nothing" : observability.join(", ")
}

/** Whose engine had nothing on, if it was not this one's. */
function of(costs: readonly ObservabilityCost[]): string {
  const [{ against } = { against: null }] = costs
  return against === null ? "" : ` in the engine of ${against}`
}

function renderTable<Row>(rows: readonly Row[], columns: Columns<Row>): string {
  const names = Object.keys(columns)
  const cells = rows.map((row) => Object.values(columns).map((cell) => cell(row)))
  const widths = names.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)))
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`
  const rule = line(widths.map((width) => "-".repeat(width)))
  return [line(names), rule, ...cells.map(line)].join("\n")
}

function whole(value: number | null): string {
  return value === null ? "-" : Math.round(value).toLocaleString("en")
}
