import type { Queryable } from "../../core/database.ts"
import type { EventName } from "../../core/events/event-map.ts"
import { silentSink } from "../../core/events/event-sink.ts"
import type { Exporter } from "../../core/exporter.ts"
import { BUILT_IN_EXPORTERS } from "../../core/exporters/built-in-exporters.ts"
import { createRedactor } from "../../core/redact.ts"
import { createExports, type Exports } from "./create-exports.ts"

export interface HeardEvent {
  readonly name: EventName
  readonly payload: object
}

/** Exports on a test's database, and what is heard of them. */
export interface TestExports extends Exports {
  readonly events: readonly HeardEvent[]
  readonly warnings: readonly (readonly [fields: Readonly<Record<string, unknown>>, message: string])[]
  /** How many statements the database was sent. */
  readonly statementCount: () => number
}

export interface TestExportsOptions {
  /** Besides those that are built in; the last one comes first. */
  readonly exporters?: readonly Exporter[]
  readonly pageRows?: number
}

export function createTestExports(database: Queryable, options: TestExportsOptions = {}): TestExports {
  const exporters = [...BUILT_IN_EXPORTERS, ...(options.exporters ?? [])].toReversed()
  const events: HeardEvent[] = []
  const warnings: [Readonly<Record<string, unknown>>, string][] = []
  let statements = 0
  const nothing = (): void => {}
  const exports = createExports({
    database: {
      query: async (statement) => {
        statements += 1
        return await database.query(statement)
      },
    },
    pageSize: { rows: options.pageRows ?? 10, bytes: 1_000_000 },
    redact: createRedactor(),
    logger: {
      debug: nothing,
      info: nothing,
      error: nothing,
      warn: (fields, message) => warnings.push([fields, message]),
    },
    events: { ...silentSink, publish: (name, payload) => void events.push({ name, payload }) },
    exporters: {
      findByFormat: (format) => exporters.filter(({ formats }) => formats.includes(format)),
      formats: () => exporters.flatMap(({ formats }) => formats).toSorted(),
    },
  })
  return { ...exports, events, warnings, statementCount: () => statements }
}
