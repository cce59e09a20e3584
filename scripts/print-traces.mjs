/**
 * A collector for whoever has none at hand: takes spans by OTLP over HTTP, and prints each trace as a tree once nothing more
 * has come of it for some seconds; again, whole, when more comes later. After `npm run build`:
 *
 *     node scripts/print-traces.mjs [port]    4318 unless given
 *
 * A line is a span: its name, its kind, its start after the trace's and its length in milliseconds, and its error.
 */
import { startOtlpReceiver } from "../packages/telemetry/dist/test-otlp-receiver.js"

const LOOK_EVERY_MS = 2_000

const receiver = await startOtlpReceiver(Number(process.argv[2] ?? 4318))
console.log(`waiting for spans at ${receiver.url}`)
const seen = new Map()
const printed = new Map()
setInterval(() => {
  const traces = new Map()
  for (const span of receiver.spans) traces.set(span.traceId, [...(traces.get(span.traceId) ?? []), span])
  for (const [traceId, spans] of traces) {
    const count = spans.length
    if (count === seen.get(traceId) && count !== printed.get(traceId)) {
      printed.set(traceId, count)
      printTrace(spans)
    }
    seen.set(traceId, count)
  }
}, LOOK_EVERY_MS)

function printTrace(spans) {
  const inOrder = spans.toSorted((a, b) => Number(a.startNs - b.startNs))
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const [{ traceId, startNs: beginNs }] = inOrder
  console.log(`\ntrace ${traceId}`)
  const printChildren = (parents, depth) => {
    for (const span of inOrder.filter(({ parentSpanId }) => parents(parentSpanId))) {
      const { name, kind, startNs, endNs, status, spanId } = span
      const times = [startNs - beginNs, endNs - startNs].map((ns) => (Number(ns) / 1e6).toFixed(1).padStart(9))
      const error = status.code === "error" ? `  error: ${status.message}` : ""
      console.log(`${"  ".repeat(depth)}${name}`.padEnd(40) + kind.padEnd(10) + times.join("") + error)
      printChildren((parent) => parent === spanId, depth + 1)
    }
  }
  // A span whose parent is elsewhere, or was not sent yet, is at the top.
  printChildren((parent) => !ids.has(parent), 0)
}
