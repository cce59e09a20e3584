import { EVENT_CATALOGUE, isEventName } from "../core/events/catalogue.ts"
import type { TaskerEvent } from "../core/events/event-map.ts"
import type { EventSink } from "../core/events/event-sink.ts"
import { guardedLogger } from "../core/guarded-logger.ts"
import { isLogged, type LogFields, type Logger } from "../core/logger.ts"
import type { Redactor } from "../core/redact.ts"
import { inOneWrite } from "../logging/log-destination.ts"
import { EVENT_LINES, type EventLine } from "./event-lines.ts"
import { eventWithoutSecrets, payloadWithoutSecrets } from "./without-secrets.ts"

/**
 * A sink that writes events to the log, and passes them on without their secrets. Where the level of an event is off and
 * nobody listens, the event is not even made.
 */
export function loggedEvents(sink: EventSink, logger: Logger, redact: Redactor): EventSink {
  // The lines are made of what holds no secret any more.
  const lines = guardedLogger(logger, (shown) => shown)
  return {
    wants: (name) => sink.wants(name) || isWritten(LINES.get(name), lines),
    publish(name, payload) {
      const shown = payloadWithoutSecrets(payload, redact)
      writeLine(lines, name, shown)
      sink.publish(name, shown)
    },
    deliver(event) {
      const shown = eventWithoutSecrets(event, redact)
      writeLine(lines, shown.name, shown.payload)
      sink.deliver(shown)
    },
    batch: (work) => inOneWrite(() => sink.batch(work)),
  }
}

interface ComponentLine extends EventLine {
  readonly component: string
}

/** By the name of the event, for it is asked several times a step. Of those that are lines. */
const LINES: ReadonlyMap<string, ComponentLine> = new Map(
  Object.entries(EVENT_LINES).flatMap(([name, line]) =>
    line === null || !isEventName(name) ? [] : [[name, { ...line, component: EVENT_CATALOGUE[name].category }]],
  ),
)

function isWritten(line: ComponentLine | undefined, logger: Logger): line is ComponentLine {
  return line !== undefined && isLogged(logger, line.level)
}

function writeLine(logger: Logger, event: TaskerEvent["name"], payload: TaskerEvent["payload"]): void {
  const line = LINES.get(event)
  if (!isWritten(line, logger)) return
  logger[line.level]({ component: line.component, event, ...fieldsOf(payload) }, line.message)
}

/** What the event says, without what it does not know. */
function fieldsOf(payload: TaskerEvent["payload"]): LogFields {
  const fields: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(payload)) {
    // Every line has the process's.
    if (value === null || value === undefined || key === "pid") continue
    fields[key] = key === "durationMs" ? rounded(value) : value
  }
  return fields
}

/** To the microsecond; what is finer is noise. */
function rounded(value: unknown): unknown {
  return typeof value === "number" ? Math.round(value * 1_000) / 1_000 : value
}
