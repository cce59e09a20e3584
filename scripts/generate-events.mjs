/**
 * Writes docs/reference/events.md from the catalogue of events, and the module that holds their examples; with `--check`,
 * compares both. The examples are files that tests write: `npx vitest run packages/engine/src/events -u`.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describeEngineEvents } from "../packages/engine/dist/core/events/describe-events.js"
import { eventsPage } from "./dist/events/events-page.js"
import { outputFile } from "./dist/generate/output-file.js"
import { originalProblems } from "./dist/events/original-events.js"

const EXAMPLES = "packages/engine/src/events/examples"
const MODULE = "packages/engine/src/core/events/generated/event-examples.ts"
const PAGE = "docs/reference/events.md"

const examples = readExamples()
const events = describeEngineEvents().map((event) => ({ ...event, example: examples.get(event.name) }))
for (const name of examples.keys()) {
  if (!events.some((event) => event.name === name)) fail(`${EXAMPLES} has an example of "${name}", which is no event`)
}
for (const problem of originalProblems(events.map(({ name }) => name))) fail(problem)
const missing = events.filter(({ example }) => example === undefined)
if (missing.length > 0) fail(`no test keeps an example of ${missing.map(({ name }) => name).join(", ")}`)

outputFile(PAGE, eventsPage(events), "the catalogue says")
outputFile(MODULE, moduleText(), "the catalogue says")
console.log(`saw ${events.length} events`)

/** By name. Two tests that keep an example of the same event would leave it to chance which one is shown. */
function readExamples() {
  const found = new Map()
  for (const file of readdirSync(EXAMPLES).toSorted()) {
    for (const [name, example] of Object.entries(JSON.parse(readFileSync(join(EXAMPLES, file), "utf8")))) {
      if (found.has(name)) fail(`${file}: another file has an example of "${name}" too`)
      found.set(name, example)
    }
  }
  return found
}

function moduleText() {
  const lines = events
    .filter(({ example }) => example !== undefined)
    .map(({ name, example }) => `  ${JSON.stringify(name)}: ${JSON.stringify(example)},\n`)
  return `// Generated from packages/engine/src/events/examples by \`npm run generate\`. Do not edit.

/** An example of each event of the engine, as a test was told it. */
export const EVENT_EXAMPLES: Readonly<Record<string, unknown>> = Object.freeze({
${lines.join("")}})
`
}

function fail(message) {
  console.log(message)
  process.exitCode = 1
}
