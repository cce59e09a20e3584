import { context, propagation, trace, type TracerProvider } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core"
import { TaskerError } from "@tasker/engine"

/**
 * Makes a provider that of the process, with contexts that follow calls, and W3C headers.
 *
 * @returns a function that takes all of it down
 * @throws TaskerError `TASKER_CONFIG_INVALID` when any of it is there already; then nothing has changed
 */
export function registerSdk(provider: TracerProvider): () => void {
  const contexts = new AsyncLocalStorageContextManager()
  const propagator = new CompositePropagator({
    propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
  })
  const parts = [
    { register: () => trace.setGlobalTracerProvider(provider), remove: () => trace.disable() },
    { register: () => context.setGlobalContextManager(contexts.enable()), remove: () => context.disable() },
    { register: () => propagation.setGlobalPropagator(propagator), remove: () => propagation.disable() },
  ]
  const registered: (() => void)[] = []
  const removeAll = (): void => {
    for (const remove of registered) remove()
  }
  for (const { register, remove } of parts) {
    if (!register()) {
      removeAll()
      throw alreadyThere()
    }
    registered.push(remove)
  }
  return removeAll
}

function alreadyThere(): TaskerError {
  return new TaskerError("TASKER_CONFIG_INVALID", "this process has registered an OpenTelemetry SDK already", {
    hint: "leave startTelemetry out: the engine's spans go to the SDK that is registered",
  })
}
