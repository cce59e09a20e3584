import type { Logger } from "../core/logger.ts"

/** A logger that keeps what it is told, as `level message {fields}`. */
export function testLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = []
  const at =
    (level: string) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields)}`)
    }
  return { lines, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") }
}
