import type { Exporter } from "../exporter.ts"
import { columnsOf, type FieldChoice, fieldChoiceRule } from "./columns.ts"
import { jsonWriter } from "./json-text.ts"

/** Options of the formats `jsonl` and `ndjson`. */
export interface JsonLinesOptions {
  /** Which fields are written, in which order, and under which names. Default: every field, under its own name. */
  readonly fields?: FieldChoice | undefined
}

/** JSON Lines: a JSON object on each line. Numbers that JSON has not are text: `"NaN"`, `"+Inf"`, `"-Inf"`. */
export const jsonLinesExporter: Exporter<JsonLinesOptions> = Object.freeze<Exporter<JsonLinesOptions>>({
  name: "json_lines",
  version: "1.0.0",
  description: "A JSON object on each line",
  formats: ["jsonl", "ndjson"],
  options: { fields: fieldChoiceRule },
  async *export(records, options, context) {
    const toJson = jsonWriter(
      columnsOf(context, { chosen: options.fields, option: "fields", flattenLabels: false }),
      false,
    )
    for await (const record of records) yield `${toJson(record)}\n`
  },
})
