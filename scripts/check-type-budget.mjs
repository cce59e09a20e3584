/**
 * What the typed DAG costs the compiler, and the most that it may cost.
 *
 * Writes workflows of 50 steps against the declarations of the engine (each step depends on up to three earlier
 * ones and returns an object of four fields), compiles each, and counts instantiations: exact and repeatable, unlike
 * times. What a workflow of two steps of the same kind costs is taken off, because it is what the declarations and
 * the standard library cost whoever uses them.
 *
 * A change that crosses a budget says why, here.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"

const STEPS = 50
const BASELINE_STEPS = 2

/** The two ways of the design (style.md 5.4), and the template, whose budget is what it cost there (80,067) and a fifth. */
const KINDS = [
  { name: "handlers inline", budget: 60_000, write: writeInline },
  { name: "handlers in own files", budget: 20_000, write: writeOwnFiles },
  { name: "template", budget: 96_000, write: writeTemplate },
]

const engine = resolve("packages/engine/dist")
const compiler = resolve("node_modules/typescript/bin/tsc")
// Inside the repository, so that `@types/node` is found.
mkdirSync(resolve("node_modules/.cache"), { recursive: true })
const folder = mkdtempSync(resolve("node_modules/.cache/type-budget-"))

/** `declaration` is on, because users' packages emit declarations, and printing a type may instantiate more. */
const OPTIONS = {
  target: "es2023",
  lib: ["es2023"],
  module: "nodenext",
  moduleResolution: "nodenext",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  declaration: true,
  outDir: "out",
  skipLibCheck: true,
  types: ["node"],
}

const HEAD = `import { defineWorkflow } from ${JSON.stringify(join(engine, "core/define-workflow.js"))}
interface OrderInput { readonly cartId: string }
`

const ID = `{ namespace: "shop", name: "fifty_steps", version: "1.0.0" }`

try {
  const rows = KINDS.map(({ name, budget, write }) => {
    const cost = count(`${name} ${STEPS}`, write(STEPS)) - count(`${name} ${BASELINE_STEPS}`, write(BASELINE_STEPS))
    if (cost <= 0)
      throw new Error(`${name}: ${STEPS} steps cost no more than ${BASELINE_STEPS}, so nothing was checked`)
    return { name, cost, budget }
  })
  for (const { name, cost, budget } of rows) {
    console.log(`${name}: ${cost} instantiations for ${STEPS - BASELINE_STEPS} steps, at most ${budget}`)
  }
  console.log(`saw ${rows.length} numbers`)
  if (rows.some(({ cost, budget }) => cost > budget)) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Compiles the files in a project of their own, and reads the number of instantiations. */
function count(name, files) {
  const project = join(folder, name.replaceAll(" ", "-"))
  mkdirSync(project)
  for (const [file, text] of Object.entries(files)) writeFileSync(join(project, file), text)
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: OPTIONS, include: ["*.ts"] }))
  const { stdout, status, error } = spawnSync(process.execPath, [compiler, "-p", project, "--extendedDiagnostics"], {
    encoding: "utf8",
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${name} does not compile:\n${stdout}`)
  const found = /^Instantiations:\s+(\d+)$/m.exec(stdout)?.[1]
  if (found === undefined) throw new Error(`the compiler printed no number of instantiations for ${name}:\n${stdout}`)
  return Number(found)
}

/** Up to three of the steps before. */
function parents(index) {
  return [1, 2, 5].map((back) => index - back).filter((parent) => parent >= 0)
}

function dependsOn(index) {
  return parents(index).length === 0
    ? ""
    : `dependsOn: ${JSON.stringify(parents(index).map((parent) => `step_${parent}`))}, `
}

function body(index) {
  const cents = parents(index).map((parent) => `results.step_${parent}.cents`)
  return `({ id: input.cartId, index: ${index}, cents: ${["1", ...cents].join(" + ")}, done: true })`
}

function writeInline(steps) {
  const chain = indices(steps).map(
    (index) =>
      `  .step("step_${index}", { ${dependsOn(index)}handler: async ({ input, results }) => ${inline(index)} })`,
  )
  return {
    "workflow.ts": `${HEAD}export const workflow = defineWorkflow<OrderInput>(${ID})\n${chain.join("\n")}\n${probe(steps)}`,
  }
}

/** The first handler has no results to read. */
function inline(index) {
  return parents(index).length === 0 ? `(void results, ${body(index)})` : body(index)
}

function writeOwnFiles(steps) {
  const handlers = indices(steps).map((index) => {
    const needs = parents(index).map((parent) => `readonly step_${parent}: Result${parent}`)
    return `export interface Result${index} { readonly id: string; readonly index: number; readonly cents: number; readonly done: boolean }
export const handler${index}: StepHandler<OrderInput, { ${needs.join("; ")} }, Result${index}> = async ({ input, results }) => ${inline(index)}`
  })
  const types = `import type { StepHandler } from ${JSON.stringify(join(engine, "core/workflow.js"))}
export interface OrderInput { readonly cartId: string }
`
  const chain = indices(steps).map(
    (index) => `  .step("step_${index}", { ${dependsOn(index)}handler: handlers.handler${index} })`,
  )
  const workflow = `import { defineWorkflow } from ${JSON.stringify(join(engine, "core/define-workflow.js"))}
import * as handlers from "./handlers.js"
export const workflow = defineWorkflow<handlers.OrderInput>(${ID})
${chain.join("\n")}
${probe(steps)}`
  return { "handlers.ts": `${types}${handlers.join("\n")}\n`, "workflow.ts": workflow }
}

function writeTemplate(steps) {
  const list = indices(steps).map((index) => `  { name: "step_${index}", ${dependsOn(index)}},`)
  const results = indices(steps).map((index) => `  readonly step_${index}: Result`)
  const handlers = indices(steps).map((index) => `  step_${index}: async ({ input, results }) => ${inline(index)},`)
  const text = `import { defineTemplate } from ${JSON.stringify(join(engine, "core/define-template.js"))}
interface OrderInput { readonly cartId: string }
interface Result { readonly id: string; readonly index: number; readonly cents: number; readonly done: boolean }
interface Results {
${results.join("\n")}
}
export const workflow = defineTemplate({ ...${ID}, steps: [
${list.join("\n")}
] }).implement<OrderInput, Results>({
${handlers.join("\n")}
})
${probe(steps)}`
  return { "workflow.ts": text }
}

/** Uses the last result, so that a `step` that returned \`any\` would not pass for a cheap one. */
function probe(steps) {
  return `type Last = (typeof workflow)["~types"]["results"]["step_${steps - 1}"]
export const index: number = null! as Last["index"]
// @ts-expect-error a result has no such field
export type Missing = Last["missing"]
`
}

function indices(steps) {
  return Array.from({ length: steps }, (_, index) => index)
}
