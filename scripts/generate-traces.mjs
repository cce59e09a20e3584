/** Writes docs/reference/traces.md from the catalogue of attributes; with `--check`, compares it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { TRACE_ATTRIBUTES } from "../packages/engine/dist/tracing/trace-attributes.js"
import { tracesPage } from "./dist/traces/traces-page.js"

const FILE = "docs/reference/traces.md"

const page = tracesPage(TRACE_ATTRIBUTES)
if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== page) {
    console.log(`${FILE} is not what the catalogue of attributes says: run npm run generate`)
    process.exitCode = 1
  }
} else {
  mkdirSync(dirname(FILE), { recursive: true })
  writeFileSync(FILE, page)
}
console.log(`saw ${Object.keys(TRACE_ATTRIBUTES).length} attributes`)
