import pretty from "pino-pretty"
import type { LineWriter } from "./log-destination.ts"

/** Writes lines of JSON as lines for people. What every line has alike is left out. */
export function prettyLines(writer: LineWriter, isColored: boolean): LineWriter {
  const format = pretty.prettyFactory({
    colorize: isColored,
    colorizeObjects: isColored,
    messageKey: "message",
    errorLikeObjectKeys: ["err", "error"],
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "pid,hostname,taskerVersion",
    singleLine: true,
  })
  return { write: (line) => writer.write(format(line)) }
}
