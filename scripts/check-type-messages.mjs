/**
 * Compares what the compiler prints with what the type tests quote.
 *
 * `@ts-expect-error` accepts any error, so a message could lose its sentence unseen. This compiles a copy of the type
 * tests without the directives, and looks for the comment above each (`...` stands for anything) in the error below.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"

const SOURCE = resolve("packages/engine/src")
const BUILT = resolve("packages/engine/dist")
const compiler = resolve("node_modules/typescript/bin/tsc")

const OPTIONS = {
  target: "es2023",
  lib: ["es2023"],
  module: "nodenext",
  moduleResolution: "nodenext",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  skipLibCheck: true,
  types: ["node"],
}

const tests = [SOURCE, resolve("test/types")].flatMap((folder) =>
  readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith(".test-d.ts"))
    .map((file) => join(folder, file)),
)
const outcomes = tests.map(check)

for (const failure of outcomes.flatMap(({ failures }) => failures)) console.log(failure)
console.log(`saw ${outcomes.reduce((sum, { count }) => sum + count, 0)} messages`)
if (outcomes.some(({ failures, count }) => failures.length > 0 || count === 0)) process.exitCode = 1

function check(file) {
  const lines = readFileSync(file, "utf8").split("\n")
  const errors = compile(file, lines.map((line) => line.replace(/@ts-expect-error.*/, "")).join("\n"))
  const cases = lines.flatMap((line, index) => (/^\s*\/\/ @ts-expect-error/.test(line) ? [index] : []))
  return { count: cases.length, failures: cases.flatMap((index) => compare({ file, lines, errors, cases }, index)) }
}

/** The error is on the line after the directive. Lines are counted from 0 here, and from 1 by the compiler. */
function compare({ file, lines, errors, cases }, index) {
  const printed = errors.get(index + 2)
  const place = `${file}:${index + 1}`
  if (printed === undefined) return [`${place}: the compiler printed nothing`]
  return quotes(lines, cases, index)
    .filter((quote) => !matcher(quote).test(printed))
    .map((quote) => `${place}: not printed\n  quoted:  ${quote}\n  printed: ${printed}`)
}

/** The comment above a directive; for one "as above", that of the directive before. */
function quotes(lines, cases, index) {
  if (lines[index].includes("as above")) return quotes(lines, cases, cases[cases.indexOf(index) - 1])
  const found = []
  for (let above = index - 1; /^\s*\/\/ /.test(lines[above]); above--)
    found.unshift(lines[above].trim().slice(3).trim())
  if (found.length === 0) throw new Error(`line ${index + 1} quotes no message: ${lines[index]}`)
  return found
}

function matcher(quote) {
  const parts = quote.split(/ ?\.{3} ?/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(parts.join("[^]*"))
}

/** Line to what was printed for it. */
function compile(file, text) {
  mkdirSync("packages/engine/node_modules/.cache", { recursive: true })
  // Inside the package, so that the schema libraries are found.
  const folder = mkdtempSync(resolve("packages/engine/node_modules/.cache/type-messages-"))
  try {
    const copy = text.replaceAll(/from "(\.{1,2}\/[\w./-]+)\.ts"/g, (_, imported) => {
      const built = join(dirname(file), `${imported}.js`).replace(SOURCE, BUILT)
      return `from ${JSON.stringify(built)}`
    })
    writeFileSync(join(folder, "tests.ts"), copy)
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: OPTIONS, include: ["tests.ts"] }))
    const args = [compiler, "-p", folder, "--pretty", "false"]
    const { stdout, error } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: folder })
    if (error !== undefined) throw error
    const found = new Map()
    for (const [, line, message] of stdout.matchAll(/^tests\.ts\((\d+),\d+\): error ([^]*?)(?=^\S|(?![^]))/gm)) {
      found.set(Number(line), `${found.get(Number(line)) ?? ""}${message}`)
    }
    return found
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
