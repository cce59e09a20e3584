// oxlint-disable typescript/no-deprecated -- nothing else in version 1 of the API says whether an SDK is registered
import { ProxyTracerProvider, trace, type Tracer } from "@opentelemetry/api"

const SCOPE = "@tasker/engine"

/**
 * The tracer of the OpenTelemetry SDK that this process has registered, now or since the last call; `undefined` when
 * there is none. A look-up of a few nanoseconds, so that without an SDK nobody makes attributes for a span that is none.
 */
export function findTracer(): Tracer | undefined {
  const provider = trace.getTracerProvider()
  return provider instanceof ProxyTracerProvider ? provider.getDelegateTracer(SCOPE) : provider.getTracer(SCOPE)
}

/** Whether there is one. */
export function isTracing(): boolean {
  return findTracer() !== undefined
}
