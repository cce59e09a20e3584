import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, expect, test } from "vitest"

// vitest imports modules in its own way, so these ask Node itself, with what was built.
const REGISTRY = fileURLToPath(new URL("../../../dist/registry/plugin-registry.js", import.meta.url))

const folder = mkdtempSync(join(tmpdir(), "tasker-discovery-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const plugin = (name: string): string => `{ name: "${name}", formats: ["${name}"], async *export() {} }`

test("Node loads what it can, and each failure is named by file with what to do", async () => {
  const files = {
    "a.mjs": `export const a = ${plugin("a")}`,
    "b.cjs": `const hidden = ${plugin("b")}; module.exports = Object.assign({}, { hidden })`,
    "c.mjs": `export const = 1`,
    "d.mjs": `import "not-a-package"`,
    "e.ts": `const name: string = "e"; export const e = { name, formats: [name], async *export() {} }`,
    "g.js": `export const g = ${plugin("g")}`,
    "package.json": `{ "type": "module" }`,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const program = `
    import { createPluginRegistry } from ${JSON.stringify(REGISTRY)}
    const registry = createPluginRegistry({ onChange: () => {} })
    const { registered, failures } = await registry.discover(${JSON.stringify(folder)})
    console.log(JSON.stringify({
      registered: registered.map(({ key }) => key),
      failures: failures.map(({ file, error: { message, hint } }) => ({ file, message, hint })),
      typescript: Boolean(process.features.typescript),
    }))
  `
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program])
  const { registered, failures, typescript } = JSON.parse(stdout)

  const e = { file: join(folder, "e.ts"), hint: "compile it to JavaScript, or run Node 22.18 or newer" }
  expect(registered).toEqual(typescript === true ? ["a", "b", "e", "g"] : ["a", "b", "g"])
  expect(failures).toMatchObject([
    { file: join(folder, "c.mjs"), hint: `find the line with: node --check ${join(folder, "c.mjs")}` },
    { file: join(folder, "d.mjs"), hint: "install what the module imports, or correct the path" },
    ...(typescript === true ? [] : [e]),
  ])
})
