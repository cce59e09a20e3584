import { isLogged, type LogFields, type Logger, type LogLevel } from "./logger.ts"
import type { Redact } from "./redact.ts"

/**
 * The same logger for lines that may hold secrets: takes them out of fields and messages. A logger that throws costs
 * its line, and nothing that Tasker does.
 */
export function guardedLogger(logger: Logger, redact: Redact): Logger {
  const at = (level: LogLevel) => (fields: LogFields, message: string) => {
    try {
      if (isLogged(logger, level)) logger[level](redact(fields), redact(message))
    } catch {
      // There is nobody left to tell.
    }
  }
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    isLevelEnabled: (level) => {
      try {
        return isLogged(logger, level)
      } catch {
        return false
      }
    },
  }
}
