import { spawnSync } from "node:child_process"
import { countSources } from "./count-sources.ts"

const { status } = spawnSync("node_modules/.bin/tsc", ["-b"], { stdio: "inherit" })
const counts = [...countSources(process.cwd())]
console.log(counts.map(([project, count]) => `${project}: ${count}`).join(", "))
console.log(`saw ${counts.reduce((sum, [, count]) => sum + count, 0)} files`)
process.exitCode = status ?? 1
