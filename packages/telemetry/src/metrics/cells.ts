import type { Labels } from "./label-tree.ts"

/** One series of a counter or a gauge. */
export interface Cell {
  readonly labels: Labels
  value: number
}

export function createCell(labels: Labels): Cell {
  return { labels, value: 0 }
}

/** One sample as prom-client writes it. */
export interface Sample {
  readonly metricName: string
  readonly labels: Labels
  readonly value: number
}

/** One series of a histogram. */
export class HistogramCell {
  readonly #labels: Labels
  readonly #bounds: readonly number[]
  /** How many values fell into each bucket, those above the last bound at the end. */
  readonly #counts: number[]
  #sum = 0

  /** @param bounds - the upper bounds of the buckets, ascending, without the infinite one */
  constructor(labels: Labels, bounds: readonly number[]) {
    this.#labels = labels
    this.#bounds = bounds
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  observe(value: number): void {
    let bucket = 0
    // A bound that is not there compares as false, which ends it at the last bucket.
    while (value > (this.#bounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#sum += value
  }

  /** @param name - of the metric */
  samples(name: string): readonly Sample[] {
    let count = 0
    const buckets = this.#counts.map((inBucket, index) => {
      count += inBucket
      const bound = this.#bounds[index]
      const le = bound === undefined ? "+Inf" : String(bound)
      return { metricName: `${name}_bucket`, labels: { ...this.#labels, le }, value: count }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: this.#labels, value: this.#sum },
      { metricName: `${name}_count`, labels: this.#labels, value: count },
    ]
  }
}
