/** Writes docs/reference/errors.md from the table of codes; with `--check`, compares it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { ERROR_CODES } from "../packages/engine/dist/core/error.js"
import { errorsPage } from "./dist/errors/errors-page.js"

const FILE = "docs/reference/errors.md"

const page = errorsPage(ERROR_CODES)
if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== page) {
    console.log(`${FILE} is not what the table of codes says: run npm run generate`)
    process.exitCode = 1
  }
} else {
  mkdirSync(dirname(FILE), { recursive: true })
  writeFileSync(FILE, page)
}
console.log(`saw ${Object.keys(ERROR_CODES).length} codes`)
