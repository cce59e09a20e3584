/** Writes docs/reference/metrics.md from the catalogue of metrics; with `--check`, compares it. */
import {
  DATABASE_BUCKETS,
  METRICS,
  STEP_BUCKETS,
  TASK_BUCKETS,
} from "../packages/telemetry/dist/metrics/metric-catalogue.js"
import { metricsPage } from "./dist/metrics/metrics-page.js"
import { outputFile } from "./dist/generate/output-file.js"

const FILE = "docs/reference/metrics.md"

const buckets = {
  [METRICS.stepDuration.name]: STEP_BUCKETS,
  [METRICS.taskDuration.name]: TASK_BUCKETS,
  [METRICS.databaseCallDuration.name]: DATABASE_BUCKETS,
}
const page = metricsPage(Object.values(METRICS), buckets)
outputFile(FILE, page, "the catalogue of metrics says")
console.log(`saw ${Object.keys(METRICS).length} metrics`)
