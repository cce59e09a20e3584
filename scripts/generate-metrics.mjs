/** Writes docs/reference/metrics.md from the catalogue of metrics; with `--check`, compares it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import {
  DATABASE_BUCKETS,
  METRICS,
  STEP_BUCKETS,
  TASK_BUCKETS,
} from "../packages/telemetry/dist/metrics/metric-catalogue.js"
import { metricsPage } from "./dist/metrics/metrics-page.js"

const FILE = "docs/reference/metrics.md"

const buckets = {
  [METRICS.stepDuration.name]: STEP_BUCKETS,
  [METRICS.taskDuration.name]: TASK_BUCKETS,
  [METRICS.databaseCallDuration.name]: DATABASE_BUCKETS,
}
const page = metricsPage(Object.values(METRICS), buckets)
if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== page) {
    console.log(`${FILE} is not what the catalogue of metrics says: run npm run generate`)
    process.exitCode = 1
  }
} else {
  mkdirSync(dirname(FILE), { recursive: true })
  writeFileSync(FILE, page)
}
console.log(`saw ${Object.keys(METRICS).length} metrics`)
