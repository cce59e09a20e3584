/**
 * Adds up vitest's JSON reports, for the last line of `.ci/run`.
 *
 *   node scripts/count-tests.mjs <failed parts> <report.json>...
 *
 * Besides tests, it counts as failed: a file that fails outside of its tests, a report that is not there, and parts that failed
 * although no test did. Ends with 1 when anything failed, or when nothing passed.
 */
import { readFileSync } from "node:fs"

const [failedParts = "0", ...files] = process.argv.slice(2)
let passed = 0
let failed = 0
let skipped = 0

for (const file of files) {
  const report = read(file)
  if (report === undefined) {
    failed += 1
    continue
  }
  const brokenFiles = report.testResults.filter(
    (result) => result.status === "failed" && !result.assertionResults.some((test) => test.status === "failed"),
  )
  passed += report.numPassedTests
  failed += report.numFailedTests + brokenFiles.length
  skipped += report.numPendingTests + report.numTodoTests
}

if (failed === 0) failed = Number(failedParts)
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"))
  } catch (error) {
    console.error(`no report: ${error.message}`)
    return undefined
  }
}
