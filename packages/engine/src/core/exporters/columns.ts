import { TaskerError } from "../error.ts"
import type { ExportContext, ExportRecord } from "../exporter.ts"
import { didYouMean } from "../names.ts"
import type { OptionRule } from "../option-rules.ts"

/**
 * Fields to write, in this order: their names, or an object of each field and the name that it gets.
 *
 * Besides the fields of a record, a dot reaches inside (`attributes.customer`, `input.cart`), and `label_` before the
 * name of a label is that label.
 */
export type FieldChoice = readonly string[] | Readonly<Record<string, string>>

/** One field as it is written. */
export interface Column {
  /** The name that it gets. */
  readonly name: string
  readonly read: (record: ExportRecord) => unknown
}

const MAX_COLUMNS = 1_000

export const fieldChoiceRule: OptionRule = {
  rule: "a list of different fields, or an object of field and name, of at most 1000",
  accepts: isFieldChoice,
}

function isFieldChoice(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false
  const names: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  return (
    names.length >= 1
    && names.length <= MAX_COLUMNS
    && new Set(names).size === names.length
    && names.every((name) => typeof name === "string" && name !== "")
  )
}

export interface ColumnOptions {
  /** What was chosen. Default: every field of the records. */
  readonly chosen?: FieldChoice | undefined
  /** What the choice is called, for the message: `columns`. */
  readonly option: string
  /** Whether `labels` becomes a column for each label. */
  readonly flattenLabels: boolean
}

/**
 * The columns of an export.
 *
 * @throws TaskerError `TASKER_OPTION_INVALID` when the records have no such field
 */
export function columnsOf(context: ExportContext, options: ColumnOptions): readonly Column[] {
  return namesOf(options.chosen ?? context.fields).flatMap(([field, name]) => {
    if (field !== "labels" || !options.flattenLabels) return [{ name, read: readerOf(context, field, options.option) }]
    const prefix = name === field ? "label" : name
    return context.labels.map((label) => ({ name: `${prefix}_${label}`, read: labelReader(label) }))
  })
}

function namesOf(choice: FieldChoice): readonly (readonly [field: string, name: string])[] {
  return isList(choice) ? choice.map((field) => [field, field]) : Object.entries(choice)
}

// Array.isArray does not narrow a readonly list away from an object.
function isList(choice: FieldChoice): choice is readonly string[] {
  return Array.isArray(choice)
}

function readerOf(context: ExportContext, field: string, option: string): Column["read"] {
  if (context.fields.includes("labels") && field.startsWith("label_")) return labelReader(field.slice("label_".length))
  const path = field.split(".")
  const root = path[0] ?? ""
  if (!context.fields.includes(root)) {
    throw new TaskerError(
      "TASKER_OPTION_INVALID",
      `expected ${option} to be fields of ${context.what}, got "${field}"`,
      {
        hint: didYouMean(root, context.fields) ?? `the fields are ${context.fields.join(", ")}`,
        details: { field, fields: context.fields },
      },
    )
  }
  return (record) => path.reduce<unknown>(ownValue, record)
}

function labelReader(label: string): Column["read"] {
  return (record) => (record.kind === "sample" ? ownValue(record.labels, label) : undefined)
}

/** The value of a key of one's own: `attributes.constructor` is none. */
function ownValue(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key] // it is an object, and the key is its own
    : undefined
}

/** A number that JSON and spreadsheets have no way to write, as Prometheus writes it. */
export function nonFiniteText(value: number): string {
  if (Number.isNaN(value)) return "NaN"
  return value > 0 ? "+Inf" : "-Inf"
}
