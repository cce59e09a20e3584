import { Counter, Gauge, Histogram, type Registry } from "prom-client"
import { type Cell, createCell, HistogramCell } from "./cells.ts"
import { LabelTree } from "./label-tree.ts"
import { BOUNDED_LABELS, type MetricEntry } from "./metric-catalogue.ts"

/** Where metrics are put, and how many series each may have. */
export interface Exposure {
  readonly registry: Registry
  readonly seriesLimit: number
  /** Told each time that a value of a metric goes to `other`. */
  readonly onCapped: (entry: MetricEntry) => void
}

export type CounterSeries = LabelTree<Cell>
export type HistogramSeries = LabelTree<HistogramCell>

/** Makes a counter whose cells are counted in directly; prom-client gets their values when it is scraped. */
export function exposeCounter(exposure: Exposure, entry: MetricEntry): CounterSeries {
  const tree = createTree(exposure, entry, createCell)
  const counter = new Counter({
    ...configOf(exposure, entry),
    collect() {
      counter.reset()
      for (const { labels, value } of tree.cells) counter.inc(labels, value)
    },
  })
  return tree
}

/** The values of a gauge's labels, in order, and its value. */
export type Reading = readonly [labels: readonly string[], value: number]

/** Makes a gauge that is read anew whenever it is scraped. */
export function exposeGauge(
  exposure: Exposure,
  entry: MetricEntry,
  read: () => readonly Reading[] | Promise<readonly Reading[]>,
): void {
  const tree = createTree(exposure, entry, createCell)
  const gauge = new Gauge({
    ...configOf(exposure, entry),
    aggregator: entry.combine ?? "sum",
    async collect() {
      const readings = await read()
      // From here on nothing waits, so that scrapes at the same time do not add up.
      tree.clear()
      for (const [labels, value] of readings) {
        const cell = tree.at(...labels)
        cell.value = entry.combine === "max" ? Math.max(cell.value, value) : cell.value + value
      }
      gauge.reset()
      for (const { labels, value } of tree.cells) gauge.set(labels, value)
    },
  })
}

/** Makes a histogram whose cells are counted in directly. */
export function exposeHistogram(exposure: Exposure, entry: MetricEntry, buckets: readonly number[]): HistogramSeries {
  const tree = createTree(exposure, entry, (labels) => new HistogramCell(labels, buckets))
  const config = configOf(exposure, entry)
  const read = () =>
    Promise.resolve({
      name: entry.name,
      help: config.help,
      type: "histogram",
      aggregator: "sum",
      values: tree.cells.flatMap((cell) => cell.samples(entry.name)),
    })
  // There is no way to hand prom-client whole buckets, and its `observe` takes 900 ns, a fortieth of what a worker spends
  // on a step. So it is told what to answer when its registry asks: by `get` for JSON, by the other for text.
  Object.assign(new Histogram({ ...config, buckets: [...buckets] }), { get: read, getForPromString: read })
  return tree
}

function createTree<T>(
  { seriesLimit, onCapped }: Exposure,
  entry: MetricEntry,
  create: (labels: Readonly<Record<string, string>>) => T,
): LabelTree<T> {
  const tree = new LabelTree<T>({
    labels: entry.labels,
    bounded: BOUNDED_LABELS,
    limit: seriesLimit,
    create,
    onCapped: () => onCapped(entry),
  })
  // What has no labels is there from the start: 0 says that nothing happened, silence does not.
  if (entry.labels.length === 0) tree.at()
  return tree
}

function configOf({ registry }: Exposure, { name, help, labels }: MetricEntry) {
  return { name, help, labelNames: [...labels], registers: [registry] }
}
