import { type Span, SpanStatusCode, type TimeInput } from "@opentelemetry/api"

/** An error as it is stored: bounded, and without secrets. */
export interface SpanError {
  readonly name: string
  readonly code: string | null
  readonly message: string
  readonly stack?: string | null
}

/** Says on a span that what it is about failed, and why. */
export function recordError(span: Span, { name, code, message, stack }: SpanError, at?: TimeInput): void {
  // With a code, the SDK would give that as the exception's type.
  span.recordException({ name, message, ...(typeof stack === "string" ? { stack } : {}) }, at)
  span.setAttribute("error.type", code ?? name)
  span.setStatus({ code: SpanStatusCode.ERROR, message })
}
