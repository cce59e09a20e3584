import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, describe, expect, test } from "vitest"
import { createHandlerRegistry } from "../handler-registry.ts"
import type { DiscoverWorkflowsOptions } from "./discover-workflows.ts"

const ENGINE = new URL("../../index.ts", import.meta.url).href

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

async function discover(files: Readonly<Record<string, string>>, options?: DiscoverWorkflowsOptions) {
  const folder = mkdtempSync(join(tmpdir(), "tasker-workflows-"))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const registry = createHandlerRegistry()
  const { registered, failures } = await registry.discover(folder, options)
  const inside = (text: string): string => text.replaceAll(`${folder}/`, "")
  return {
    registry,
    registered: registered.map(({ key, file }) => `${key} from ${inside(file)}`),
    failures: failures.map(({ file, exportName, error }) => ({
      file: inside(file),
      exportName,
      code: error.code,
      message: inside(error.message),
    })),
  }
}

const module = (code: string): string =>
  `import { defineTemplate, defineWorkflow } from ${JSON.stringify(ENGINE)}\n${code}`
const greet = (version: string): string =>
  `defineWorkflow({ name: "greet", version: "${version}" }).step("say", { handler: () => "hello" })`

const yaml = (name: string, more = ""): string => `
name: ${name}
version: 1.0.0
steps:
  - name: pack
  - name: ship
    depends_on: [pack]
    handler: post.ship
${more}`

const handlers = { pack: () => "packed", "post.ship": () => "shipped" }

describe("modules", () => {
  test("give the workflows that they export, in every version, and what else they export is their own", async () => {
    const { registered, failures, registry } = await discover({
      "a.mjs": module(
        `export const one = ${greet("1.0.0")}; export const two = ${greet("2.0.0")}; export const MAX = 3`,
      ),
      "b.mjs": module(`
        export const template = defineTemplate({ name: "made", version: "1.0.0", steps: [{ name: "only" }] })
        export default template.implement({ only: () => 1 })`),
    })
    expect(failures).toEqual([])
    expect(registered).toEqual([
      "default/greet@1.0.0 from a.mjs",
      "default/greet@2.0.0 from a.mjs",
      "default/made@1.0.0 from b.mjs",
    ])
    expect(registry.get("default", "greet").workflow.version).toBe("2.0.0")
  })

  test("that break a rule are named with every problem, and so are conflicts", async () => {
    const { registered, failures } = await discover({
      "a.mjs": module(`export const one = ${greet("1.0.0")}`),
      "b.mjs": module(
        `export const again = defineWorkflow({ name: "greet", version: "1.0.0" }).step("wave", { handler: () => 1 })`,
      ),
      "c.mjs": module(`export const bad = defineWorkflow({ name: "Bad", version: "1" }).step("say", {})`),
      "d.mjs": `export const steps = []`,
    })
    expect(registered).toEqual(["default/greet@1.0.0 from a.mjs"])
    expect(failures).toEqual([
      {
        file: "b.mjs",
        exportName: "again",
        code: "TASKER_WORKFLOW_CHANGED",
        message:
          'workflow "default/greet@1.0.0" is already registered from a.mjs, with another definition: step added: "wave"; step removed: "say"',
      },
      {
        file: "c.mjs",
        exportName: "bad",
        code: "TASKER_WORKFLOW_INVALID",
        message: expect.stringMatching(/name: expected[^]*version: expected[^]*handler/),
      },
      {
        file: "d.mjs",
        exportName: null,
        code: "TASKER_DISCOVERY_FAILED",
        message: expect.stringContaining("exports no workflow: expected an export with namespace, name, version"),
      },
    ])
  })
})

describe("YAML files", () => {
  test("take their handlers from what is passed", async () => {
    const { registered, failures, registry } = await discover(
      { "a.yaml": yaml("one"), "b.yml": yaml("two") },
      { handlers },
    )
    expect(failures).toEqual([])
    expect(registered).toEqual(["default/one@1.0.0 from a.yaml", "default/two@1.0.0 from b.yml"])
    const steps = registry.get("default", "one").workflow.steps
    expect(steps.map(({ handler }) => handler)).toEqual([handlers.pack, handlers["post.ship"]])
  })

  test("take their handlers from the module beside them first", async () => {
    const { registered, failures, registry } = await discover(
      {
        "ship.yaml": yaml("ship"),
        "ship.mjs": `export const pack = () => "packed here"; const ship = () => "shipped here"; export { ship as "post.ship" }`,
        "other.yaml": yaml("other"),
      },
      { handlers },
    )
    expect(failures).toEqual([])
    expect(registered).toEqual(["default/other@1.0.0 from other.yaml", "default/ship@1.0.0 from ship.yaml"])
    // Neither handler reads its context.
    const results = (name: string): unknown[] =>
      registry.get("default", name).workflow.steps.map(({ handler }) => (handler as () => unknown)())
    expect(results("ship")).toEqual(["packed here", "shipped here"])
    expect(results("other")).toEqual(["packed", "shipped"])
  })

  test("that have mistakes are named by file, line and column", async () => {
    const { registered, failures } = await discover({
      "a.yaml": yaml("one", "max_attemps: 3"),
      "b.yaml": "steps: [",
      "c.yaml": yaml("three"),
      "c.mjs": `export const config = {}`,
    })
    expect(registered).toEqual([])
    expect(failures).toMatchObject([
      { file: "a.yaml", code: "TASKER_WORKFLOW_FILE_INVALID", message: expect.stringContaining("a.yaml:9:1 ") },
      { file: "b.yaml", code: "TASKER_WORKFLOW_FILE_INVALID" },
      { file: "c.mjs", code: "TASKER_DISCOVERY_FAILED", message: expect.stringContaining("exports no workflow") },
      { file: "c.yaml", code: "TASKER_WORKFLOW_FILE_INVALID", message: expect.stringContaining('"post.ship"') },
    ])
  })

  test("apply the environment that is asked for; one that declares none stands as it is", async () => {
    const environments = (name: string): string => `environments:\n  ${name}:\n    max_attempts: 9`
    const files = {
      "a.yaml": yaml("one", environments("production")),
      "b.yaml": yaml("two"),
      "c.yaml": yaml("three", environments("prodction")),
    }
    const { registry, failures } = await discover(files, { handlers, environment: "production" })
    const attempts = (name: string) => registry.get("default", name).workflow.steps[0]?.spec.maxAttempts
    expect([attempts("one"), attempts("two")]).toEqual([9, 3])
    expect(failures).toMatchObject([
      { file: "c.yaml", message: expect.stringContaining('environment "production" is not declared in this file') },
    ])
    const without = await discover(files, { handlers })
    expect(without.registered).toHaveLength(3)
    expect(without.registry.get("default", "one").workflow.steps[0]?.spec.maxAttempts).toBe(3)
  })
})

test("options that are unknown or misshapen are refused", async () => {
  // What a JavaScript user may pass.
  const options = { handlers: { pack: "packed" }, environment: 1, environments: "test" } as unknown
  await expect(discover({}, options as DiscoverWorkflowsOptions)).rejects.toMatchObject({
    code: "TASKER_OPTION_INVALID",
    details: { problems: [{ path: "handlers" }, { path: "environment" }, { path: "environments" }] },
  })
})
