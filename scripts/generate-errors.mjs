/** Writes docs/reference/errors.md from the table of codes; with `--check`, compares it. */
import { ERROR_CODES } from "../packages/engine/dist/core/error.js"
import { errorsPage } from "./dist/errors/errors-page.js"
import { outputFile } from "./dist/generate/output-file.js"

const FILE = "docs/reference/errors.md"

const page = errorsPage(ERROR_CODES)
outputFile(FILE, page, "the table of codes says")
console.log(`saw ${Object.keys(ERROR_CODES).length} codes`)
