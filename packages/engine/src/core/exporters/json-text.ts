import type { ExportRecord } from "../exporter.ts"
import { type Column, nonFiniteText } from "./columns.ts"

/** Writes records as JSON objects, with a key for each column. */
export function jsonWriter(columns: readonly Column[], isPretty: boolean): (record: ExportRecord) => string {
  if (isPretty) {
    return (record) => {
      const entries = columns.map(({ name, read }) => [name, toPlain(read(record))] as const)
      return JSON.stringify(Object.fromEntries(entries), undefined, 2)
    }
  }
  // The keys are the same for every record, so they are written once.
  const fields = columns.map(({ name, read }, index) => ({
    start: `${index === 0 ? "" : ","}${JSON.stringify(name)}:`,
    read,
  }))
  return (record) => {
    let json = "{"
    for (const { start, read } of fields) json += start + JSON.stringify(toPlain(read(record)))
    return `${json}}`
  }
}

function toPlain(value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) return nonFiniteText(value)
  return value ?? null
}
