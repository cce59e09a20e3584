import type { ExportRecord, SampleRecord, StepRecord, TaskRecord, TransitionRecord } from "../../core/exporter.ts"
import type { ExportRequest } from "./export-request.ts"
import { labelsOf, readSamples } from "./metrics-source.ts"
import { readHistory, type ReadingRooms, readSteps, readTasks } from "./read-records.ts"

/** The records of an export, and what they look like. */
export interface OpenRecords {
  readonly records: AsyncIterable<ExportRecord>
  readonly fields: readonly string[]
  readonly labels: readonly string[]
}

/** Begins to read what was asked for. Only metrics are all there at once. */
export async function openRecords(rooms: ReadingRooms, request: ExportRequest, at: Date): Promise<OpenRecords> {
  const none: readonly string[] = []
  switch (request.what) {
    case "tasks":
      return {
        records: readTasks(rooms, request),
        fields: [...TASK_FIELDS, ...(request.include ?? [])],
        labels: none,
      }
    case "steps":
      return {
        records: readSteps(rooms, request),
        fields: [...STEP_FIELDS, ...(request.include ?? [])],
        labels: none,
      }
    case "history":
      return {
        records: readHistory(rooms, request),
        fields: [...TRANSITION_FIELDS, ...(request.include ?? [])],
        labels: none,
      }
    case "metrics": {
      const samples = await readSamples(request.metrics, at)
      return { records: oneByOne(samples), fields: SAMPLE_FIELDS, labels: labelsOf(samples) }
    }
  }
}

async function* oneByOne(samples: readonly SampleRecord[]): AsyncGenerator<SampleRecord> {
  yield* samples
}

const TASK_FIELDS: readonly (keyof TaskRecord)[] = [
  ...(["taskId", "namespace", "workflow", "version", "state", "priority"] as const),
  ...(["createdAt", "startedAt", "finishedAt", "durationMs", "pausedAt"] as const),
  ...(["tags", "attributes", "correlationId", "initiator", "sourceSystem", "reason"] as const),
]

const STEP_FIELDS: readonly (keyof StepRecord)[] = [
  ...(["taskId", "namespace", "workflow", "version", "step", "state", "attempts", "maxAttempts"] as const),
  ...(["startedAt", "finishedAt", "durationMs", "errorName", "errorCode", "errorMessage"] as const),
]

const TRANSITION_FIELDS: readonly (keyof TransitionRecord)[] = [
  ...(["transitionId", "at", "taskId", "namespace", "workflow", "version", "step", "from", "to"] as const),
  ...(["attempt", "workerId", "cause", "by", "reason", "errorName", "errorCode", "errorMessage"] as const),
  "event",
]

const SAMPLE_FIELDS: readonly (keyof SampleRecord)[] = ["at", "metric", "name", "type", "help", "labels", "value"]
