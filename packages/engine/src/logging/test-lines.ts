/** A line of a log in JSON, as a test reads it. */
export type LogLine = Readonly<Record<string, unknown>>

/** The lines of a log in JSON. */
export function readLines(text: string): readonly LogLine[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LogLine) // createLogger writes objects
}
