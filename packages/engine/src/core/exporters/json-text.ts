import type { ExportRecord } from "../exporter.ts"
import { type Column, nonFiniteText } from "./columns.ts"

/** Writes records as JSON objects, with a key for each column. */
export function jsonWriter(columns: readonly Column[], indent: number): (record: ExportRecord) => string {
  return (record) => JSON.stringify(toPlain(columns, record), undefined, indent)
}

function toPlain(columns: readonly Column[], record: ExportRecord): object {
  // Without a prototype: a field may be called anything.
  const plain: Record<string, unknown> = Object.create(null) as Record<string, unknown> // empty, so of any type
  for (const { name, read } of columns) {
    const value = read(record)
    plain[name] = typeof value === "number" && !Number.isFinite(value) ? nonFiniteText(value) : (value ?? null)
  }
  return plain
}
