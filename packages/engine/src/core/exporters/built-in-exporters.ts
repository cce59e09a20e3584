import type { Exporter } from "../exporter.ts"
import { csvExporter } from "./csv-exporter.ts"
import { jsonExporter } from "./json-exporter.ts"
import { jsonLinesExporter } from "./json-lines-exporter.ts"
import { prometheusExporter } from "./prometheus-exporter.ts"

/** The exporters that every Tasker has, by their names `json`, `json_lines`, `csv` and `prometheus`. */
export const BUILT_IN_EXPORTERS: readonly Exporter[] = Object.freeze([
  jsonExporter,
  jsonLinesExporter,
  csvExporter,
  prometheusExporter,
])
