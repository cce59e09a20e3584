import { parseSync, Visitor } from "oxc-parser"

/** A comment counts when it is on a line of the cast, or ends at most this many lines above: the statement's own start. */
const LINES_ABOVE = 2

/**
 * Finds the casts in one file that no comment explains.
 *
 * A cast tells the compiler what it cannot see, so its comment says why it is true. `as const` and `as unknown` claim
 * nothing.
 *
 * @returns the lines on which they end, from 1
 * @throws Error when the file does not parse
 */
export function findBareCasts(path: string, source: string): readonly number[] {
  const { program, comments, errors } = parseSync(path, source)
  if (errors[0] !== undefined) throw new Error(`${path} does not parse: ${errors[0].message}`)

  const lineOf = (offset: number): number => source.slice(0, offset).split("\n").length
  const spans = comments.map(({ start, end }) => ({ first: lineOf(start), last: lineOf(end) }))
  const bare: number[] = []
  new Visitor({
    TSAsExpression: ({ start, end, typeAnnotation: type }) => {
      if (type.type === "TSUnknownKeyword") return
      if (type.type === "TSTypeReference" && type.typeName.type === "Identifier" && type.typeName.name === "const")
        return
      const [first, last] = [lineOf(start) - LINES_ABOVE, lineOf(end)]
      if (!spans.some((span) => span.last >= first && span.first <= last)) bare.push(last)
    },
  }).visit(program)
  return bare
}
