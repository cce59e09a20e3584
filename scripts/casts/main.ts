import { readFileSync } from "node:fs"
import { sourceFiles } from "../source-files.ts"
import { findBareCasts } from "./find-bare-casts.ts"

// Tests cast what they break on purpose; programs beside the packages are held to the same rule by their reviewers.
const files = sourceFiles(process.cwd(), ["packages"]).filter((path) => !/\.test(?:-d)?\.tsx?$/.test(path))
const bare = files.flatMap((path) => findBareCasts(path, readFileSync(path, "utf8")).map((line) => `${path}:${line}`))

for (const place of bare) console.log(`${place}  a cast has a comment saying why it is true`)
console.log(`saw ${files.length} files, ${bare.length} casts without a reason`)
process.exitCode = bare.length === 0 ? 0 : 1
