/**
 * Checks what the Markdown files claim: their TypeScript compiles, and their relative links lead somewhere.
 *
 * The `ts` blocks of a page are one program, each at the lines where it stands, so an error has the line of the page.
 * Comments that a reader does not see change that, each above a block:
 *
 *     <!-- program -->    another program begins
 *     <!-- fragment -->   the block is not compiled
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"

// Inside the engine, so that it, pg and the schema libraries are found. Code in the guides reads like a user's: what
// a page only shows, it need not use.
const CACHE = "packages/engine/node_modules/.cache"
const COMPILER = resolve("node_modules/typescript/bin/tsc")
const SKIPPED = new Set(["node_modules", "dist", ".git", ".tasker"])

const pages = findPages(".")
const programs = pages.flatMap(programsOf)
const failures = [...pages.flatMap(brokenLinks), ...compile(programs)]

for (const failure of failures) console.log(failure)
console.log(`saw ${pages.length} pages, ${programs.reduce((sum, { blocks }) => sum + blocks, 0)} blocks of TypeScript`)
if (failures.length > 0) process.exitCode = 1

function findPages(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : findPages(path)
    return entry.name.endsWith(".md") ? [path] : []
  })
}

/** A page as its lines, each with the language of the block that it is in: `undefined` outside, `""` for plain text. */
function readLines(page) {
  let language
  return readFileSync(page, "utf8")
    .split("\n")
    .map((text) => {
      const fence = /^\s*```(\w*)/.exec(text)
      if (fence === null) return { text, language, isFence: false }
      language = language === undefined ? fence[1] : undefined
      return { text, language, isFence: true }
    })
}

/** The programs of a page, with an empty line for every line that is not theirs. */
function programsOf(page) {
  const found = []
  let code = []
  let blocks = 0
  let isCompiled = true
  const finish = () => {
    if (blocks > 0) found.push({ page, code: code.join("\n"), blocks })
    blocks = 0
  }
  for (const [index, { text, language, isFence }] of readLines(page).entries()) {
    if (/^<!-- program -->$/.test(text)) {
      finish()
      code = Array.from({ length: index }, () => "")
    }
    if (/^<!-- fragment -->$/.test(text)) isCompiled = false
    if (isFence && language === "ts" && isCompiled) blocks += 1
    code.push(language === "ts" && !isFence && isCompiled ? text : "")
    if (isFence && language === undefined) isCompiled = true
  }
  finish()
  return found
}

function compile(sources) {
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(resolve(CACHE, "docs-"))
  try {
    const names = new Map(sources.map((source, index) => [`program-${index + 1}.ts`, source]))
    // `export {}` makes a module of a program that imports nothing.
    for (const [name, { code }] of names) writeFileSync(join(folder, name), `${code}\nexport {}\n`)
    const compilerOptions = { noEmit: true, composite: false, noUnusedLocals: false, rootDir: ".", types: ["node"] }
    const tsconfig = { extends: resolve("tsconfig.base.json"), compilerOptions, include: ["*.ts"] }
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
    const args = [COMPILER, "-p", folder, "--pretty", "false"]
    const { stdout, status, error } = spawnSync(process.execPath, args, { encoding: "utf8", cwd: folder })
    if (error !== undefined) throw error
    if (status === 0) return []
    return [
      stdout
        .trimEnd()
        .replaceAll(/^(program-\d+\.ts)\((\d+),\d+\)/gm, (_, name, line) => `${names.get(name).page}:${line}`),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Links to files that are not there, or to headings that these do not have. Links to the web are not followed. */
function brokenLinks(page) {
  return readLines(page).flatMap(({ text, language }, index) => {
    if (language !== undefined) return []
    const targets = [...text.replaceAll(/`[^`]*`/g, "").matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1])
    return targets
      .filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(page, target))
      .map((target) => `${page}:${index + 1}: the link ${target} leads nowhere`)
  })
}

function leadsSomewhere(page, target) {
  const [path, heading] = target.split("#")
  const file = path === "" ? page : join(dirname(page), path)
  if (relative(".", file).startsWith("..") || !existsSync(file)) return false
  return heading === undefined || headingsOf(file).includes(heading)
}

/** The headings of a page as the links to them are written: in lower case, without punctuation, with hyphens. */
function headingsOf(file) {
  return readLines(file)
    .filter(({ text, language }) => language === undefined && /^#+ /.test(text))
    .map(({ text }) =>
      text
        .replace(/^#+ /, "")
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    )
}
