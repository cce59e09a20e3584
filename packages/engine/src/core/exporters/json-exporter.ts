import type { OptionRules } from "../check-options.ts"
import type { ExportContext, Exporter } from "../exporter.ts"
import { flagRule, type OptionRule } from "../option-rules.ts"
import type { JsonValue } from "../schema.ts"
import { columnsOf, type FieldChoice, fieldChoiceRule } from "./columns.ts"
import { jsonWriter } from "./json-text.ts"

/** Options of the format `json`. */
export interface JsonOptions {
  /** Which fields are written, in which order, and under which names. Default: every field, under its own name. */
  readonly fields?: FieldChoice | undefined
  /** Whether lines are broken and indented. Default: false, with each record on a line of its own. */
  readonly pretty?: boolean | undefined
  /**
   * Whether the list of records stands in an object, next to what is known of the export: its id, what it is of, when it
   * began, and at the end how many records there are. An object of your own is added to it.
   *
   * Default: false, for the list alone.
   */
  readonly metadata?: boolean | Readonly<Record<string, JsonValue>> | undefined
}

/** What the exporter says itself. */
const OWN_KEYS = ["exportId", "what", "startedAt", "records", "recordCount"]

const metadataRule: OptionRule = {
  rule: `true, false, or an object of JSON without the keys ${OWN_KEYS.join(", ")}`,
  accepts: (value) =>
    typeof value === "boolean"
    || (typeof value === "object"
      && value !== null
      && !Array.isArray(value)
      && OWN_KEYS.every((key) => !Object.hasOwn(value, key))
      && isJson(value)),
}

function isJson(value: object): boolean {
  try {
    return typeof JSON.stringify(value) === "string"
  } catch {
    return false // circular, or with a BigInt
  }
}

const OPTIONS: OptionRules = { fields: fieldChoiceRule, pretty: flagRule, metadata: metadataRule }

/** One JSON document: a list of records, or an object with one. Numbers that JSON has not are text: `"NaN"`, `"+Inf"`, `"-Inf"`. */
export const jsonExporter: Exporter<JsonOptions> = Object.freeze<Exporter<JsonOptions>>({
  name: "json",
  version: "1.0.0",
  description: "One JSON document, with or without metadata",
  formats: ["json"],
  options: OPTIONS,
  async *export(records, options, context) {
    const { pretty = false, metadata = false } = options
    const columns = columnsOf(context, { chosen: options.fields, option: "fields", flattenLabels: false })
    const toJson = jsonWriter(columns, pretty)
    const { start, indent, end } = metadata === false ? listLayout(pretty) : documentLayout(context, metadata, pretty)
    let recordCount = 0
    yield start
    for await (const record of records) {
      // Line breaks inside of text are escaped: those that are here are the layout's.
      const json = toJson(record).replaceAll("\n", `\n${indent}`)
      yield `${recordCount === 0 ? "" : ","}\n${indent}${json}`
      recordCount += 1
    }
    yield end(recordCount)
  },
})

/** What stands around the records. */
interface Layout {
  readonly start: string
  /** Before each record, and each of its lines. */
  readonly indent: string
  readonly end: (recordCount: number) => string
}

function listLayout(pretty: boolean): Layout {
  return { start: "[", indent: pretty ? "  " : "", end: (recordCount) => (recordCount === 0 ? "]\n" : "\n]\n") }
}

function documentLayout(
  { exportId, what, startedAt }: ExportContext,
  metadata: true | Readonly<Record<string, JsonValue>>,
  pretty: boolean,
): Layout {
  const [space, line] = pretty ? [" ", "\n  "] : ["", ""]
  const own = metadata === true ? {} : metadata
  const known = JSON.stringify({ exportId, what, startedAt, ...own }, undefined, pretty ? 2 : 0)
  return {
    start: `${known.slice(0, pretty ? -"\n}".length : -"}".length)},${line}"records":${space}[`,
    indent: pretty ? "    " : "",
    end: (recordCount) =>
      `${recordCount === 0 ? "" : `\n${pretty ? "  " : ""}`}],${line}"recordCount":${space}${recordCount}${pretty ? "\n" : ""}}\n`,
  }
}
