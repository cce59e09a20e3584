import type { OptionRules } from "./check-options.ts"
import type { JsonValue } from "./schema.ts"
import type { StepState, TaskState } from "./state.ts"
import type { Priority } from "./workflow.ts"

export const EXPORT_SUBJECTS = ["tasks", "steps", "history", "metrics"] as const

/** What an export is of. */
export type ExportSubject = (typeof EXPORT_SUBJECTS)[number]

/** The workflow that a row belongs to, in the version that its task is pinned to. */
interface WorkflowFields {
  readonly taskId: string
  readonly namespace: string
  readonly workflow: string
  readonly version: string
}

/** Why an attempt failed; all `null` when it did not. The stack is never exported. */
interface ErrorFields {
  readonly errorName: string | null
  readonly errorCode: string | null
  readonly errorMessage: string | null
}

/** A task, as it is when its row is read. A field that `redact.keys` names holds the mask, whatever its type here. */
export interface TaskRecord extends WorkflowFields {
  readonly kind: "task"
  readonly state: TaskState
  readonly priority: Priority
  readonly createdAt: Date
  readonly startedAt: Date | null
  readonly finishedAt: Date | null
  /** From its start to its end, in milliseconds; `null` until it has ended. */
  readonly durationMs: number | null
  /** Since when it is paused; `null` when it is not. */
  readonly pausedAt: Date | null
  readonly tags: readonly string[]
  readonly attributes: Readonly<Record<string, JsonValue>>
  readonly correlationId: string | null
  readonly initiator: string | null
  readonly sourceSystem: string | null
  readonly reason: string | null
  /** Only where it was asked for. */
  readonly input?: JsonValue
}

/**
 * A step of a task, as it is when its row is read. A field that `redact.keys` names holds the mask, whatever its type here.
 */
export interface StepRecord extends WorkflowFields, ErrorFields {
  readonly kind: "step"
  readonly step: string
  readonly state: StepState
  readonly attempts: number
  readonly maxAttempts: number
  /** When its last attempt started. */
  readonly startedAt: Date | null
  readonly finishedAt: Date | null
  /** From the start of its last attempt to its end, in milliseconds. */
  readonly durationMs: number | null
  /** Only where it was asked for. */
  readonly result?: JsonValue
}

/**
 * A row of history: a task or a step of it went from one state to another. A field that `redact.keys` names holds the mask,
 * whatever its type here.
 */
export interface TransitionRecord extends WorkflowFields, ErrorFields {
  readonly kind: "transition"
  readonly transitionId: number
  readonly at: Date
  /** `null`: the task itself. */
  readonly step: string | null
  /** `null`: it was created. */
  readonly from: StepState | null
  readonly to: StepState
  readonly attempt: number | null
  readonly workerId: number | null
  readonly cause: string | null
  readonly by: string | null
  readonly reason: string | null
  /** The name of what the step published, when that is what happened. */
  readonly event: string | null
  /** What the step published with it. Only where it was asked for. */
  readonly payload?: JsonValue
}

/** The kinds of metrics that Prometheus knows. */
export type MetricType = "counter" | "gauge" | "histogram" | "summary" | "untyped"

/** One sample of a metric. Those of one metric come one after another. */
export interface SampleRecord {
  readonly kind: "sample"
  /** When it was taken: the same for all of an export. */
  readonly at: Date
  /** The metric that it belongs to: `tasker_step_duration_seconds`. */
  readonly metric: string
  /** Its own name: the metric's, for parts of a histogram with `_bucket`, `_sum` or `_count`. */
  readonly name: string
  readonly type: MetricType
  readonly help: string
  readonly labels: Readonly<Record<string, string>>
  /** Any number; `NaN` and infinite ones too. */
  readonly value: number
}

/** A row of an export; `kind` tells which. */
export type ExportRecord = TaskRecord | StepRecord | TransitionRecord | SampleRecord

/** What an exporter is told of the export that it works for. */
export interface ExportContext {
  readonly exportId: string
  readonly what: ExportSubject
  /** The format that was asked for, in lower case. */
  readonly format: string
  readonly startedAt: Date
  /** The fields that the records have, in the order in which they are best shown. `kind` is left out. */
  readonly fields: readonly string[]
  /** The labels that the samples have, sorted; none unless metrics are exported. */
  readonly labels: readonly string[]
  /** Aborts when nobody wants the export any longer. What an exporter writes after that is dropped. */
  readonly signal: AbortSignal
}

/** What is known of an export that has ended. */
export interface ExportSummary {
  readonly exportId: string
  readonly what: ExportSubject
  /** The format that was asked for, in lower case. */
  readonly format: string
  /** The name of the exporter that wrote it. */
  readonly exporter: string
  /** How many records went into it. */
  readonly recordCount: number
  /** How many bytes came out. */
  readonly bytes: number
  readonly durationMs: number
}

/**
 * Turns records into text or bytes: a plugin, found by the format that is asked for.
 *
 * @typeParam Options - what a caller may pass to it besides
 *
 * @example
 * ```ts
 * export const idExporter: Exporter = {
 *   name: "ids",
 *   formats: ["ids"],
 *   subjects: ["tasks"],
 *   async *export(records) {
 *     for await (const record of records) if (record.kind === "task") yield `${record.taskId}\n`
 *   },
 * }
 * ```
 */
export interface Exporter<Options extends object = Readonly<Record<string, unknown>>> {
  /** Names it among all plugins. */
  readonly name: string
  readonly version?: string
  readonly description?: string
  /** Formats that it writes, such as "csv". Looked up whatever their case. */
  readonly formats: readonly string[]
  /** What it can write; to export anything else is refused before a row is read. Default: everything. */
  readonly subjects?: readonly ExportSubject[]
  /**
   * The options that it takes, and what each may be; an export with others is refused before a row is read.
   * Default: whatever is given is passed on, and the exporter checks it.
   */
  readonly options?: OptionRules
  /**
   * Writes records as they come. Pieces may have any size; text is written as UTF-8. What it throws fails the export,
   * and nothing else.
   *
   * @param options - what the caller passed; empty when nothing was
   */
  export(
    records: AsyncIterable<ExportRecord>,
    options: Options,
    context: ExportContext,
  ): AsyncIterable<string | Uint8Array>
  /** Told before the first record is read. Nobody waits for it, and what it throws is logged. So are the two below. */
  onExportRequested?(context: ExportContext): void | Promise<void>
  /** Told when everything is written. */
  onExportCompleted?(summary: ExportSummary): void | Promise<void>
  /** Told when the export has failed or was aborted, with what the caller gets: an error, or the reason of its signal. */
  onExportFailed?(error: unknown, context: ExportContext): void | Promise<void>
}
