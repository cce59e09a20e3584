export type LogLevel = "debug" | "info" | "warn" | "error"

export type LogFields = Readonly<Record<string, unknown>>

/**
 * Where Tasker logs to. `createLogger()` makes one; `pino()` is one; `console` is one after a wrapper of four lines.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /**
   * Whether lines of this level are written. Lines that are not are then not even made, which matters for those of
   * each step. Asked for every line, so the level may change. Default: all are written.
   */
  isLevelEnabled?(level: LogLevel): boolean
}

export const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"]

const nothing = (): void => {}

/** Logs nothing. */
export const silentLogger: Logger = Object.freeze({
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
})

/** Whether it is worth making a line. */
export function isLogged(logger: Logger, level: LogLevel): boolean {
  // It does not say so itself, since whoever spreads it to override one method would spread that too.
  return logger !== silentLogger && (logger.isLevelEnabled?.(level) ?? true)
}

/** A logger whose lines all have these fields. A line's own come first, but for those of `fixed`. */
export function boundLogger(logger: Logger, fields: LogFields, fixed: LogFields = {}): Logger {
  const at = (level: LogLevel) => (own: LogFields, message: string) =>
    logger[level]({ ...fields, ...own, ...fixed }, message)
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    isLevelEnabled: (level) => isLogged(logger, level),
  }
}
