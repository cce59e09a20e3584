import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"

/**
 * Writes a generated file; called by a script that was started with `--check`, compares it, and lets the script fail when
 * it differs.
 *
 * @param source - what the file is made from, as the message says it: `the table of codes says`
 */
export function outputFile(file: string, text: string, source: string): void {
  if (!process.argv.includes("--check")) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  } else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    console.log(`${file} is not what ${source}: run npm run generate`)
    process.exitCode = 1
  }
}
