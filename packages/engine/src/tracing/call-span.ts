import {
  type Context,
  context,
  createContextKey,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api"
import { createRedactor } from "../core/redact.ts"
import { findTracer } from "./find-tracer.ts"
import { findTracedStep } from "./step-span.ts"
import { runInside, tryTracing } from "./tracing-trouble.ts"

/** An HTTP request that is about to be sent. */
export interface TracedRequest {
  readonly method: string
  readonly url: URL
  /** Gets the headers that continue the trace, unless it has a `traceparent` already. */
  readonly headers: Headers
}

/** Tells what came back. */
export interface CallSpan {
  answered(status: number): void
}

/**
 * How the SDK's own instrumentations are kept quiet: the key that `suppressTracing` of `@opentelemetry/core` sets.
 *
 * That of `fetch` would make a second span of the same call, and append a second `traceparent`, which servers refuse
 * (open-telemetry/opentelemetry-js-contrib#3711).
 */
const SUPPRESS_TRACING = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING")

/** Outside of a Tasker's steps, or where the SDK has no context that tells of them. */
const BUILT_IN = createRedactor()

const UNTRACED: CallSpan = { answered: () => {} }

/** Makes an HTTP call inside a span of its own, by the semantic conventions of HTTP clients; the server is told of it. */
export async function traceCall<T>(request: TracedRequest, work: (call: CallSpan) => Promise<T>): Promise<T> {
  const tracer = findTracer()
  if (tracer === undefined) return await work(UNTRACED)
  const begun = tryTracing(() => begin(tracer, request))
  if (begun === undefined) return await work(UNTRACED)
  const { span, inside } = begun
  try {
    return await runInside(inside.setValue(SUPPRESS_TRACING, true), () => work(callSpan(span)))
  } catch (error) {
    tryTracing(() => {
      // The message is told by the step's span, without secrets.
      span.setAttribute("error.type", codeOf(error))
      span.setStatus({ code: SpanStatusCode.ERROR })
    })
    throw error
  } finally {
    tryTracing(() => span.end())
  }
}

function begin(tracer: Tracer, request: TracedRequest): { readonly span: Span; readonly inside: Context } {
  const span = tracer.startSpan(request.method, { kind: SpanKind.CLIENT, attributes: requestAttributes(request) })
  const inside = trace.setSpan(context.active(), span)
  if (!request.headers.has("traceparent")) {
    tryTracing(() =>
      propagation.inject(inside, request.headers, { set: (headers, name, value) => headers.set(name, value) }),
    )
  }
  return { span, inside }
}

function callSpan(span: Span): CallSpan {
  return { answered: (status) => void tryTracing(() => span.setAttribute("http.response.status_code", status)) }
}

/** Without the query, which may hold a key; a path that holds one is redacted by the rules of the step's Tasker. */
function requestAttributes({ method, url }: TracedRequest) {
  const redact = findTracedStep()?.redact ?? BUILT_IN
  return {
    "http.request.method": method,
    "server.address": url.hostname,
    "server.port": url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
    "url.full": redact(`${url.origin}${url.pathname}`),
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code
  return error instanceof Error ? error.name : "_OTHER"
}
