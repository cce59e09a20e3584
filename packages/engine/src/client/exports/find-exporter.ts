import { checkOptions } from "../../core/check-options.ts"
import { TaskerError } from "../../core/error.ts"
import type { Exporter } from "../../core/exporter.ts"
import { didYouMean } from "../../core/names.ts"
import type { ExportRequest } from "./export-request.ts"
import type { ExporterShelf } from "./export-rooms.ts"

/**
 * The exporter that a request asks for.
 *
 * @throws TaskerError `TASKER_PLUGIN_NOT_FOUND` when there is none that can write it, `TASKER_OPTION_INVALID` when it
 *   does not take the options
 */
export function findExporter(shelf: ExporterShelf, request: ExportRequest): Exporter {
  const { exporter: name, what } = request
  const format = request.format.toLowerCase()
  const writers = shelf.findByFormat(format).filter((exporter) => name === undefined || exporter.name === name)
  const exporter = writers.find(({ subjects }) => subjects?.includes(what) ?? true)
  if (exporter === undefined) throw notFound(shelf, request, writers.length > 0)
  if (exporter.options !== undefined) {
    checkOptions(`format "${format}"`, request.options ?? {}, exporter.options, "TASKER_OPTION_INVALID")
  }
  return exporter
}

function notFound(shelf: ExporterShelf, { format, exporter, what }: ExportRequest, isWritten: boolean): TaskerError {
  const formats = shelf.formats()
  const named = exporter === undefined ? "" : ` by the name "${exporter}"`
  return new TaskerError(
    "TASKER_PLUGIN_NOT_FOUND",
    isWritten
      ? `no exporter${named} writes ${what} as "${format}"`
      : `no exporter${named} writes the format "${format}"`,
    {
      hint: (isWritten ? undefined : didYouMean(format, formats)) ?? `the formats are ${formats.join(", ")}`,
      details: { format, what, formats },
    },
  )
}
