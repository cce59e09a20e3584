import type { ExportContext, Exporter, ExportRecord, SampleRecord, StepRecord, TaskRecord } from "../exporter.ts"

const startedAt = new Date("2030-01-01T00:00:00.000Z")

/** A task, and what is different about it. */
export function taskRecord(different: Partial<TaskRecord> = {}): TaskRecord {
  return {
    kind: "task",
    taskId: "01900000-0000-7000-8000-000000000001",
    namespace: "shop",
    workflow: "order",
    version: "1.0.0",
    state: "complete",
    priority: 3,
    createdAt: startedAt,
    startedAt,
    finishedAt: new Date("2030-01-01T00:00:01.500Z"),
    durationMs: 1_500,
    pausedAt: null,
    tags: [],
    attributes: {},
    correlationId: null,
    initiator: null,
    sourceSystem: null,
    reason: null,
    ...different,
  }
}

/** A step, and what is different about it. */
export function stepRecord(different: Partial<StepRecord> = {}): StepRecord {
  const { taskId, namespace, workflow, version } = taskRecord()
  return {
    kind: "step",
    taskId,
    namespace,
    workflow,
    version,
    step: "charge",
    state: "error",
    attempts: 3,
    maxAttempts: 3,
    startedAt,
    finishedAt: startedAt,
    durationMs: 0,
    errorName: "Error",
    errorCode: null,
    errorMessage: "no",
    ...different,
  }
}

/** A sample of a counter, and what is different about it. */
export function sampleRecord(different: Partial<SampleRecord> = {}): SampleRecord {
  const { metric = "tasks_total" } = different
  return {
    kind: "sample",
    at: startedAt,
    metric,
    name: metric,
    type: "counter",
    help: "Tasks.",
    labels: {},
    value: 1,
    ...different,
  }
}

/** What an export of records of one kind tells its exporter. */
function contextOf(records: readonly ExportRecord[]): ExportContext {
  const first = records[0] ?? taskRecord()
  const what = first.kind === "task" ? "tasks" : first.kind === "step" ? "steps" : "metrics"
  const labels = records.flatMap((record) => (record.kind === "sample" ? Object.keys(record.labels) : []))
  return {
    exportId: "5f0c",
    what,
    format: "any",
    startedAt,
    fields: Object.keys(first).filter((field) => field !== "kind"),
    labels: [...new Set(labels)].toSorted(),
    signal: new AbortController().signal,
  }
}

/** What an exporter makes of records. */
export async function exported<Options extends object>(
  exporter: Exporter<Options>,
  records: readonly ExportRecord[],
  options: Options,
): Promise<string> {
  async function* come(): AsyncGenerator<ExportRecord> {
    yield* records
  }
  let text = ""
  for await (const piece of exporter.export(come(), options, contextOf(records))) text += String(piece)
  return text
}
