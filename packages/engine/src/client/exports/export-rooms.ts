import type { EventSink } from "../../core/events/event-sink.ts"
import type { Exporter } from "../../core/exporter.ts"
import type { Logger } from "../../core/logger.ts"
import type { ReadingRooms } from "./read-records.ts"

/** What exports stand on; the roof passes it. */
export interface ExportRooms extends ReadingRooms {
  readonly logger: Logger
  readonly events: EventSink
  /** The exporters of this process. */
  readonly exporters: ExporterShelf
}

/** Finds exporters. */
export interface ExporterShelf {
  /** All that write a format, in lower case, the preferred one first. */
  findByFormat(format: string): readonly Exporter[]
  /** Every format that is written. */
  formats(): readonly string[]
}
