import { readdirSync } from "node:fs"
import { runStep, type Outcome, type Step } from "./run-step.ts"

/** Everything that `npm run check` does, from the root of the repository. */
async function main(): Promise<void> {
  const startedAt = performance.now()
  const outcomes = [await show(TYPES)]
  // The others read dist, so the types come first. Two at a time, as CI has two cores.
  const rest = [LINT, FORMAT, FLOORS, CASTS, UNUSED, ...ownChecks()]
  await Promise.all(
    [1, 2].map(async () => {
      for (let step = rest.shift(); step !== undefined; step = rest.shift()) outcomes.push(await show(step))
    }),
  )
  const failed = outcomes.filter((outcome) => !outcome.passed)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  if (failed.length > 0) console.log(`\nfailed: ${failed.map((outcome) => outcome.name).join(", ")}`)
  console.log(`\ncheck: ${outcomes.length - failed.length} passed, ${failed.length} failed, in ${seconds} s`)
  process.exitCode = failed.length === 0 ? 0 : 1
}

const bin = (name: string): string => `node_modules/.bin/${name}`

const TYPES: Step = {
  name: "types",
  command: [process.execPath, "scripts/dist/types/main.js"],
  saw: /saw (\d+) files/,
  things: "files",
}

const LINT: Step = { name: "lint", command: [bin("oxlint")], saw: /on (\d+) files/, things: "files" }

const FORMAT: Step = { name: "format", command: [bin("oxfmt"), "--check"], saw: /on (\d+) files/, things: "files" }

const FLOORS: Step = {
  name: "floors",
  command: [process.execPath, "scripts/dist/floors/main.js"],
  saw: /saw (\d+) files/,
  things: "files",
}

const CASTS: Step = {
  name: "casts",
  command: [process.execPath, "scripts/dist/casts/main.js"],
  saw: /saw (\d+) files/,
  things: "files",
}

const UNUSED: Step = {
  name: "unused",
  command: [bin("knip"), "--reporter", "symbols", "--reporter", "./scripts/check/count-knip-files.mjs"],
  saw: /saw (\d+) files/,
  things: "files",
}

/**
 * The checks that are scripts of their own: `check-<what>.mjs`, and with `--check` each `generate-<what>.mjs`, which
 * without it writes the files that are generated. Each says what it saw: `saw 12 files`.
 */
function ownChecks(): readonly Step[] {
  return readdirSync("scripts")
    .filter((file) => /^(?:check|generate)-.*\.mjs$/.test(file))
    .map((file) => ({
      name: file.replace(".mjs", "").replace("generate-", "generated "),
      command: [process.execPath, `scripts/${file}`, ...(file.startsWith("generate") ? ["--check"] : [])] as const,
      saw: /saw (\d+) \w+/,
      things: "things",
    }))
}

async function show(step: Step): Promise<Outcome> {
  const outcome = await runStep(step, process.cwd())
  const { name, passed, count, things, seconds, output } = outcome
  if (!passed) console.log(`\n${output.trimEnd()}\n`)
  console.log(`${passed ? "✓" : "✗"} ${name.padEnd(20)} ${count} ${things}, ${seconds.toFixed(1)} s`)
  return outcome
}

await main()
