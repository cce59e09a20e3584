/** Writes docs/reference/traces.md from the catalogue of attributes; with `--check`, compares it. */
import { TRACE_ATTRIBUTES } from "../packages/engine/dist/tracing/trace-attributes.js"
import { tracesPage } from "./dist/traces/traces-page.js"
import { outputFile } from "./dist/generate/output-file.js"

const FILE = "docs/reference/traces.md"

const page = tracesPage(TRACE_ATTRIBUTES)
outputFile(FILE, page, "the catalogue of attributes says")
console.log(`saw ${Object.keys(TRACE_ATTRIBUTES).length} attributes`)
