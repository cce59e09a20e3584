import type { Logger } from "@tasker/engine"

/** Warnings and errors as JSON lines on standard error, as the engine's logger writes them unless told otherwise. */
export const stderrLogger: Logger = Object.freeze({
  debug: () => {},
  info: () => {},
  warn: (fields: object, message?: string) => write(40, fields, message),
  error: (fields: object, message?: string) => write(50, fields, message),
})

/** @param level - of pino */
function write(level: number, fields: object, message: string | undefined): void {
  process.stderr.write(
    `${JSON.stringify({ level, time: Date.now(), name: "tasker.telemetry", ...fields, msg: message })}\n`,
  )
}
