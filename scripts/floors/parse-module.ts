import { type Argument, type Expression, parseSync, type Program, Visitor } from "oxc-parser"
import type { Finding, Module } from "./module.ts"
import { kindOfSql } from "./sql.ts"

type Findings = { readonly [Key in Exclude<keyof Module, "path">]: Finding[] }
type Report = (kind: keyof Findings, node: { readonly start: number }, text: string) => void

/**
 * Reads the facts out of one file.
 *
 * @throws Error when the file does not parse: a file that is skipped would be a file that is not checked
 */
export function parseModule(path: string, source: string): Module {
  const { program, errors } = parseSync(path, source)
  if (errors[0] !== undefined) throw new Error(`${path} does not parse: ${errors[0].message}`)

  const findings: Findings = {
    imports: [],
    computedImports: [],
    environmentReads: [],
    impurities: [],
    tableSql: [],
    sessionSql: [],
  }
  const report: Report = (kind, node, text) => {
    findings[kind].push({ line: source.slice(0, node.start).split("\n").length, text })
  }
  reportImports(program, report)
  reportEnvironment(program, report)
  reportImpurities(program, report)
  reportSql(program, report)
  return { path, ...findings }
}

function reportImports(program: Program, report: Report): void {
  const request = (source: Expression | Argument | null | undefined): void => {
    if (source === null || source === undefined) return
    if (source.type === "Literal" && typeof source.value === "string") report("imports", source, source.value)
    else report("computedImports", source, "import of a computed name")
  }
  new Visitor({
    ImportDeclaration: (node) => request(node.source),
    ExportNamedDeclaration: (node) => request(node.source),
    ExportAllDeclaration: (node) => request(node.source),
    ImportExpression: (node) => request(node.source),
    TSImportType: (node) => request(node.source),
    TSExternalModuleReference: (node) => request(node.expression),
    CallExpression: (node) => {
      const { callee } = node
      const name = callee.type === "MemberExpression" ? callee.object : callee
      if (isNamed(name, "require")) request(node.arguments[0])
    },
  }).visit(program)
}

function reportEnvironment(program: Program, report: Report): void {
  new Visitor({
    MemberExpression: (node) => {
      if (propertyOf(node) === "env" && isProcess(node.object)) report("environmentReads", node, "process.env")
      else if (propertyOf(node) === "env" && node.object.type === "MetaProperty") {
        report("environmentReads", node, "import.meta.env")
      }
    },
    VariableDeclarator: (node) => {
      if (node.id.type !== "ObjectPattern" || node.init === null || !isProcess(node.init)) return
      if (node.id.properties.some((one) => one.type === "Property" && isNamed(one.key, "env"))) {
        report("environmentReads", node, "{ env } = process")
      }
    },
    ImportDeclaration: (node) => {
      if (!/^(?:node:)?process$/.test(node.source.value)) return
      if (node.specifiers.some((one) => one.type === "ImportSpecifier" && isNamed(one.imported, "env"))) {
        report("environmentReads", node, `{ env } from "${node.source.value}"`)
      }
    },
  }).visit(program)
}

function reportImpurities(program: Program, report: Report): void {
  const impureMembers = new Set(["Date.now", "Math.random", "performance.now", "crypto.randomUUID"])
  const impureCalls = new Set(["setTimeout", "setInterval", "setImmediate", "fetch", "Date"])
  new Visitor({
    MemberExpression: (node) => {
      const name = node.object.type === "Identifier" ? `${node.object.name}.${propertyOf(node) ?? ""}` : ""
      if (impureMembers.has(name) || /^(?:process|console)\./.test(name)) report("impurities", node, name)
    },
    CallExpression: (node) => {
      if (node.callee.type === "Identifier" && impureCalls.has(node.callee.name)) {
        report("impurities", node, `${node.callee.name}()`)
      }
    },
    NewExpression: (node) => {
      if (isNamed(node.callee, "Date") && node.arguments.length === 0) report("impurities", node, "new Date()")
    },
  }).visit(program)
}

function reportSql(program: Program, report: Report): void {
  const read = (node: { readonly start: number }, text: string): void => {
    const kind = kindOfSql(text)
    if (kind !== undefined) report(kind === "tables" ? "tableSql" : "sessionSql", node, firstWords(text))
  }
  new Visitor({
    Literal: (node) => {
      if (typeof node.value === "string") read(node, node.value)
    },
    TemplateLiteral: (node) => read(node, node.quasis.map((quasi) => quasi.value.cooked ?? quasi.value.raw).join("$0")),
  }).visit(program)
}

function firstWords(text: string): string {
  const words = text.trim().replaceAll(/\s+/g, " ")
  return words.length > 50 ? `${words.slice(0, 50)}…` : words
}

function isNamed(node: { readonly type: string; readonly name?: unknown }, name: string): boolean {
  return node.type === "Identifier" && node.name === name
}

/** `process`, or something's `.process`, such as `globalThis.process`. */
function isProcess(node: Expression): boolean {
  return isNamed(node, "process") || (node.type === "MemberExpression" && propertyOf(node) === "process")
}

function propertyOf(node: {
  readonly property: { readonly type: string; name?: unknown; value?: unknown }
}): string | undefined {
  const { name, value } = node.property
  if (typeof name === "string") return name
  return typeof value === "string" ? value : undefined
}
