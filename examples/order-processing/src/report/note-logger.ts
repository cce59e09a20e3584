import type { Logger, LogLevel } from "@tasker/engine"
import type { Paint } from "./paint.ts"

/** Prints what Tasker warns of as a line among the others, rather than as JSON. */
export function createNoteLogger(print: (line: string) => void, paint: Paint): Logger {
  const note = (fields: Readonly<Record<string, unknown>>, message: string): void => {
    const facts = Object.entries(fields).map(([name, value]) => `${name}=${describe(value)}`)
    print(paint.wait(`! ${message} ${facts.join(" ")}`.trimEnd()))
  }
  const nothing = (): void => {}
  // So that Tasker does not even make the others.
  const isLevelEnabled = (level: LogLevel): boolean => level === "warn" || level === "error"
  return { debug: nothing, info: nothing, warn: note, error: note, isLevelEnabled }
}

function describe(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value))
}
