// oxlint-disable typescript/no-deprecated -- nothing else in version 1 of the API says whether an SDK is registered
import { ProxyTracerProvider, trace, type Tracer, type TracerProvider } from "@opentelemetry/api"
import { tryTracing } from "./tracing-trouble.ts"

const SCOPE = "@tasker/engine"

/** The SDK that was there the last time, and its tracer. */
let known: { readonly provider: TracerProvider; readonly tracer: Tracer | undefined } | undefined

/**
 * The tracer of the OpenTelemetry SDK that this process has registered, now or since the last call; `undefined` when
 * there is none. A look-up of a few nanoseconds, since it is asked for each step: so without an SDK nobody makes
 * attributes for a span that is none.
 */
export function findTracer(): Tracer | undefined {
  const proxy = trace.getTracerProvider()
  const provider = proxy instanceof ProxyTracerProvider ? proxy.getDelegate() : proxy
  if (known?.provider !== provider) {
    const tracer = tryTracing(() =>
      proxy instanceof ProxyTracerProvider ? proxy.getDelegateTracer(SCOPE) : proxy.getTracer(SCOPE),
    )
    known = { provider, tracer }
  }
  return known.tracer
}

/** Whether there is one. */
export function isTracing(): boolean {
  return findTracer() !== undefined
}
