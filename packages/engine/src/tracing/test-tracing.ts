import { context, propagation, type SpanContext, trace } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import { W3CTraceContextPropagator } from "@opentelemetry/core"
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base"
import { TRACE_ATTRIBUTES, type TraceAttributeName } from "./trace-attributes.ts"

/** An SDK as a host registers one, which keeps what ends. */
export interface TestTracing {
  /** The spans that have ended. */
  spans(): readonly ReadableSpan[]
  /** The one that has ended under this name. */
  span(name: string): ReadableSpan
  /** Spans that were started and have not ended. */
  openCount(): number
  stop(): void
}

export function startTestTracing(sampler?: Sampler): TestTracing {
  const exporter = new InMemorySpanExporter()
  let open = 0
  const counting = {
    onStart: () => void (open += 1),
    onEnd: () => void (open -= 1),
    forceFlush: async () => {},
    shutdown: async () => {},
  }
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter), counting],
    ...(sampler === undefined ? {} : { sampler }),
  })
  trace.setGlobalTracerProvider(provider)
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  return {
    spans: () => exporter.getFinishedSpans(),
    span(name) {
      const found = exporter.getFinishedSpans().filter((span) => span.name === name)
      if (found.length === 1 && found[0] !== undefined) return found[0]
      throw new Error(`expected one span "${name}", got ${found.length}`)
    },
    openCount: () => open,
    stop() {
      trace.disable()
      context.disable()
      propagation.disable()
    },
  }
}

/** The ids of a context, which is all that makes it the same. */
export function idsOf({ traceId, spanId }: SpanContext): { readonly traceId: string; readonly spanId: string } {
  return { traceId, spanId }
}

/** What is wrong with the attributes of the engine's own on a span and its events: unknown, or of another type. */
export function attributeProblems(span: ReadableSpan): readonly string[] {
  return [span.attributes, ...span.events.map(({ attributes = {} }) => attributes)].flatMap((attributes) =>
    Object.entries(attributes).flatMap(([name, value]) => {
      if (!name.startsWith("tasker.")) return []
      // Only a name that is in it has an entry.
      const entry = TRACE_ATTRIBUTES[name as TraceAttributeName] as { readonly type: string } | undefined
      const type = typeof value === "number" ? (Number.isInteger(value) ? "int" : "double") : typeof value
      return entry?.type === type ? [] : [`${span.name}: ${name} is ${type}, but ${entry?.type ?? "unknown"}`]
    }),
  )
}
