import type { Writable } from "node:stream"
import type { WritableStream } from "node:stream/web"
import type { OptionRules } from "../../core/check-options.ts"
import type { CsvOptions } from "../../core/exporters/csv-exporter.ts"
import type { JsonOptions } from "../../core/exporters/json-exporter.ts"
import type { JsonLinesOptions } from "../../core/exporters/json-lines-exporter.ts"
import type { PrometheusOptions } from "../../core/exporters/prometheus-exporter.ts"
import { EXPORT_SUBJECTS, type ExportSubject } from "../../core/exporter.ts"
import { oneOf, oneOrMore, type OptionRule, signalRule } from "../../core/option-rules.ts"
import { STEP_STATES, type StepState, type TaskState } from "../../core/state.ts"
import type { OpenPeriod, WorkflowFilter } from "../../store/analytics/period.ts"
import { objectRule, taskStatesRule } from "../argument-rules.ts"
import { assertArgument, assertOptions } from "../assert-argument.ts"
import { assertOrder, PERIOD_RULES } from "../period.ts"
import type { MetricsSource } from "./metrics-source.ts"

/** The options of each format that is built in. A plugin adds its own by declaration merging. */
export interface FormatOptions {
  readonly csv: CsvOptions
  readonly json: JsonOptions
  readonly jsonl: JsonLinesOptions
  readonly ndjson: JsonLinesOptions
  readonly prometheus: PrometheusOptions
}

type OptionsOf<Format extends string> =
  Lowercase<Format> extends keyof FormatOptions ? FormatOptions[Lowercase<Format>] : Readonly<Record<string, unknown>>

/**
 * Where an export goes.
 *
 * A path: the file is written under another name beside it, and takes this name when it is whole; a file that had it is
 * replaced then, and its mode is kept. A new one is its owner's alone (0600). A link is followed; a device, a pipe or the
 * output of the process is refused: pass a stream. A stream of Node or of the web: it is ended when the export is whole, and destroyed with the error when
 * it failed, so that a download breaks off instead of looking whole. The terminal's streams are left open.
 */
export type ExportTarget = string | Writable | WritableStream<Uint8Array>

interface ExportSettings<Format extends string> {
  /** `csv`, `json`, `jsonl`, `ndjson`, `prometheus`, or one that a plugin writes; in any case. */
  readonly format: Format
  /** The name of the exporter, where several write the format. Default: the one that was registered last. */
  readonly exporter?: string | undefined
  /** Options of the format. */
  readonly options?: OptionsOf<Format> | undefined
  readonly to: ExportTarget
  /** Ends the export: it rejects with the signal's reason, and leaves nothing half-written. */
  readonly signal?: AbortSignal | undefined
}

/** Exports tasks, the oldest first. */
export interface TasksExport<Format extends string = string>
  extends ExportSettings<Format>, WorkflowFilter, OpenPeriod {
  readonly what: "tasks"
  /** Created then or later. Default: no bound. */
  readonly since?: Date | undefined
  /** Created before. Default: the start of the export. */
  readonly until?: Date | undefined
  /** In one of these states. */
  readonly state?: TaskState | readonly TaskState[] | undefined
  /** What may hold secrets, and is left out unless it is named here: the `input`. */
  readonly include?: readonly "input"[] | undefined
}

/** Exports the steps of tasks, the oldest task first. */
export interface StepsExport<Format extends string = string>
  extends ExportSettings<Format>, WorkflowFilter, OpenPeriod {
  readonly what: "steps"
  /** Of tasks that were created then or later. Default: no bound. */
  readonly since?: Date | undefined
  /** Of tasks that were created before. Default: the start of the export. */
  readonly until?: Date | undefined
  /** Steps in one of these states. */
  readonly state?: StepState | readonly StepState[] | undefined
  /** What may hold secrets, and is left out unless it is named here: the `result`. */
  readonly include?: readonly "result"[] | undefined
}

/** Exports what happened, in its order. */
export interface HistoryExport<Format extends string = string>
  extends ExportSettings<Format>, WorkflowFilter, OpenPeriod {
  readonly what: "history"
  /** From then on. Default: no bound. */
  readonly since?: Date | undefined
  /** Before. Default: the start of the export. */
  readonly until?: Date | undefined
  /** What may hold secrets, and is left out unless it is named here: the `payload` of what steps published. */
  readonly include?: readonly "payload"[] | undefined
}

/** Exports metrics, as they are now. */
export interface MetricsExport<Format extends string = string> extends ExportSettings<Format> {
  readonly what: "metrics"
  /** Where they come from, such as `() => register.getMetricsAsJSON()` of prom-client. */
  readonly metrics: MetricsSource
}

/** What to export, as what, and where to. */
export type ExportRequest<Format extends string = string> =
  | TasksExport<Format>
  | StepsExport<Format>
  | HistoryExport<Format>
  | MetricsExport<Format>

const subjectRule = oneOf(EXPORT_SUBJECTS)
const textRule: OptionRule = { rule: "text", accepts: (value) => typeof value === "string" && value !== "" }
const targetRule: OptionRule = {
  rule: "a path, a Writable or a WritableStream",
  accepts: (value) =>
    (typeof value === "string" && value !== "")
    || (typeof value === "object"
      && value !== null
      && (("getWriter" in value && typeof value.getWriter === "function")
        || ("write" in value && typeof value.write === "function" && "end" in value))),
}
const metricsRule: OptionRule = {
  rule: "a function that gives metrics",
  accepts: (value) => typeof value === "function",
}

const SETTING_RULES: OptionRules = {
  what: subjectRule,
  format: textRule,
  exporter: textRule,
  options: objectRule,
  to: targetRule,
  signal: signalRule,
}

const RULES: Readonly<Record<ExportSubject, OptionRules>> = {
  tasks: { ...SETTING_RULES, ...PERIOD_RULES, state: taskStatesRule, include: listOf("input") },
  steps: { ...SETTING_RULES, ...PERIOD_RULES, state: oneOrMore(STEP_STATES), include: listOf("result") },
  history: { ...SETTING_RULES, ...PERIOD_RULES, include: listOf("payload") },
  metrics: { ...SETTING_RULES, metrics: metricsRule },
}

function listOf(word: string): OptionRule {
  return {
    rule: `a list of ${JSON.stringify(word)} at most`,
    accepts: (value) => Array.isArray(value) && value.length <= 1 && value.every((item) => item === word),
  }
}

/**
 * Checks all that can be checked before anything is read.
 *
 * @throws TaskerError `TASKER_OPTION_INVALID`
 */
export function assertExportRequest(request: ExportRequest): void {
  assertArgument("request", request, objectRule)
  assertArgument("what", request.what, subjectRule)
  assertOptions("export", request, RULES[request.what])
  assertArgument("format", request.format, textRule)
  assertArgument("to", request.to, targetRule)
  if (request.what === "metrics") {
    assertArgument("metrics", request.metrics, metricsRule)
    return
  }
  const { since, until } = request
  if (since !== undefined && until !== undefined) assertOrder(since, until)
}
