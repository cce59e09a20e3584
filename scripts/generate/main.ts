import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"

/** Writes all files that are generated, by running every `scripts/generate-<what>.mjs`. */
const generators = readdirSync("scripts").filter((file) => /^generate-.*\.mjs$/.test(file))
if (generators.length === 0) throw new Error("found no scripts/generate-*.mjs")

for (const generator of generators) {
  console.log(generator)
  const { status } = spawnSync(process.execPath, [`scripts/${generator}`], { stdio: "inherit" })
  if (status !== 0) process.exitCode = 1
}
