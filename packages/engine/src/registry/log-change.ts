import type { LogFields, Logger } from "../core/logger.ts"
import type { FolderDiscovered, RegistryChange } from "./registry-change.ts"

/**
 * Writes what a registry did as one line: what was taken and removed as
 * information, what was refused or could not be used as a warning.
 */
export function logChange(logger: Logger, change: RegistryChange): void {
  const { registry, operation, correlationId } = change
  const fields = { registry, operation, ...known({ correlationId }) }
  switch (change.operation) {
    case "registered":
    case "unregistered": {
      const { key, source, facts } = change
      logger.info({ ...fields, key, ...known({ source }), ...facts }, `registry: ${registry} ${operation}`)
      return
    }
    case "replaced": {
      const { key, source, facts, replaced } = change
      logger.info({ ...fields, key, ...known({ source }), ...facts, replaced }, `registry: ${registry} ${operation}`)
      return
    }
    case "validation_failed": {
      const { key, source, error } = change
      const { code, message, hint } = error
      logger.warn(
        { ...fields, key, ...known({ source }), error: { code, message, hint } },
        `registry: ${registry} refused`,
      )
      return
    }
    default:
      logDiscovery(logger, change)
  }
}

function logDiscovery(logger: Logger, change: FolderDiscovered): void {
  const { registry, operation, correlationId, folder, durationMs } = change
  const registered = change.registered.map(({ key }) => key)
  const fields = { registry, operation, ...known({ correlationId }), folder, durationMs, registered }
  if (change.failures.length === 0) {
    logger.info(fields, "registry: folder searched")
    return
  }
  const failures = change.failures.map(({ file, exportName, error: { code, message } }) => {
    return { file, exportName, code, message }
  })
  logger.warn({ ...fields, failures }, "registry: folder searched, with failures")
}

/** What is not known is left out of a line. */
function known(fields: LogFields): LogFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}
