import type { TaskerError } from "../core/error.ts"
import type { EventSink } from "../core/events/event-sink.ts"
import type { Problem } from "../core/problem.ts"
import type { EntryRefused, FolderDiscovered, RegistryChange } from "../registry/registry-change.ts"

/** Publishes what a registry did, under the name of the registry and of the operation. */
export function publishRegistryChange(events: EventSink, change: RegistryChange): void {
  switch (change.operation) {
    case "validation_failed":
      publishRefusal(events, change)
      return
    case "discovery_completed":
    case "discovery_failed":
      publishDiscovery(events, change)
      return
    default: {
      const { registry, operation, key, source, correlationId } = change
      events.publish(`${registry}.${operation}`, { key, source, correlationId })
    }
  }
}

function publishRefusal(events: EventSink, { registry, key, source, error, correlationId }: EntryRefused): void {
  const problems = problemsOf(error)
  events.publish(`${registry}.validation_failed`, { key, source, code: error.code, problems, correlationId })
}

function publishDiscovery(events: EventSink, change: FolderDiscovered): void {
  const { registry, operation, folder, durationMs, correlationId } = change
  events.publish(`registry.${operation}`, {
    kind: registry,
    folder,
    registered: change.registered.map(({ key }) => key),
    failures: change.failures.map(({ file, error: { code, message } }) => ({ file, code, message })),
    durationMs,
    correlationId,
  })
}

/** What is wrong, one text each: errors of shape list it in their details. */
function problemsOf({ message, details }: TaskerError): readonly string[] {
  const { problems } = details
  if (!Array.isArray(problems) || problems.length === 0) return [message]
  // Whoever throws with `problems` lists at least these of each.
  return problems.map((one: Pick<Problem, "path" | "message">) => {
    return one.path === "" ? one.message : `${one.path}: ${one.message}`
  })
}
