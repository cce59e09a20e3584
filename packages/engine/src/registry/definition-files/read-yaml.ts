import { LineCounter, parseDocument } from "yaml"
import type { Document, YAMLError } from "yaml"
import { copyNodes, MAX_FILE_DEPTH } from "./copy-nodes.ts"
import { type LocatedProblem, problemAt } from "./file-problem.ts"
import type { Located, Position } from "./located.ts"

/** The longest workflow file that is read, in characters. */
export const MAX_FILE_LENGTH = 1_048_576
/** How many breaches of YAML's syntax are listed. One is often the reason for the next. */
const MAX_SYNTAX_PROBLEMS = 20

export interface ReadYaml {
  /** Undefined when there is nothing to read. */
  readonly root: Located | undefined
  /** What makes the text no YAML, or YAML that no workflow may be written in. What follows them is doubtful. */
  readonly syntaxProblems: readonly LocatedProblem[]
  /** Keys that are given twice or are no text. What stands next to them can be trusted. */
  readonly keyProblems: readonly LocatedProblem[]
}

const START: Position = { line: 1, column: 1 }

/** Reads YAML 1.2 into values that know their line and column. */
export function readYaml(text: string): ReadYaml {
  if (text.length > MAX_FILE_LENGTH) {
    const message = `expected a file of at most ${MAX_FILE_LENGTH} characters, got ${text.length}`
    return { root: undefined, syntaxProblems: [problemAt(START, [], message)], keyProblems: [] }
  }
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    // Found by copyNodes, which can name the key.
    uniqueKeys: false,
    // Only JSON's types: no dates, sets or binary.
    resolveKnownTags: false,
  })
  const placeOf = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset)
    // An empty text has no line for the counter to find.
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const syntaxProblems = findSyntaxProblems(document, placeOf)
  if (document.contents === null) return { root: undefined, syntaxProblems, keyProblems: [] }
  const { root, keyProblems, aliasProblems } = copyNodes(document.contents, placeOf)
  return { root, keyProblems, syntaxProblems: [...syntaxProblems, ...aliasProblems] }
}

function findSyntaxProblems(
  document: Document.Parsed,
  placeOf: (offset: number) => Position,
): readonly LocatedProblem[] {
  const errors = [...document.errors, ...document.warnings]
  const exhausted = errors.find((error) => error.code === "RESOURCE_EXHAUSTION")
  if (exhausted !== undefined) {
    // There is one for each level that the parser fell back through, and nothing after them means anything.
    return [problemAt(placeOf(exhausted.pos[0]), [], `expected at most ${MAX_FILE_DEPTH} levels of nesting, got more`)]
  }
  const found = errors
    .filter((error) => error.code !== "BAD_DIRECTIVE")
    .slice(0, MAX_SYNTAX_PROBLEMS)
    .map((error) => syntaxProblem(error, placeOf(error.pos[0])))
  const { explicit, version } = document.directives.yaml
  if (explicit !== true || version === "1.2") return found
  return [problemAt(START, [], `expected YAML 1.2, got YAML ${version}`, "remove the %YAML directive"), ...found]
}

function syntaxProblem(error: YAMLError, at: Position): LocatedProblem {
  switch (error.code) {
    case "MULTIPLE_DOCS":
      return problemAt(at, [], "expected one YAML document in the file, got more", "give each workflow its own file")
    case "TAB_AS_INDENT":
      return problemAt(at, [], "a tab cannot indent YAML", "indent by spaces")
    case "TAG_RESOLVE_FAILED":
      return problemAt(at, [], `unknown tag: ${error.message.replace("Unresolved tag: ", "")}`, "remove the tag")
    default:
      return problemAt(at, [], asMessage(error.message))
  }
}

/** The parser's sentences, in the form that all our messages have. */
function asMessage(sentence: string): string {
  const text = sentence.replace(/\.$/, "")
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text
}
