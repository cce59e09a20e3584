/** A sample of a scrape. */
export interface ScrapedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric of a scrape. */
export interface ScrapedMetric {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly ScrapedSample[]
}

/**
 * Reads the text format of Prometheus, version 0.0.4, and refuses what breaks a rule of it, more strictly than Prometheus
 * does: https://prometheus.io/docs/instrumenting/exposition_formats/. It was written from that page, not from prom-client.
 */
export function parseExposition(text: string): readonly ScrapedMetric[] {
  if (!text.endsWith("\n")) throw new Error("the last line does not end with a line feed")
  const reader = new Reader()
  for (const [index, line] of text.slice(0, -1).split("\n").entries()) {
    try {
      reader.read(line)
    } catch (error) {
      throw new Error(`line ${index + 1}: ${error instanceof Error ? error.message : String(error)}: ${line}`, {
        cause: error,
      })
    }
  }
  return reader.finish()
}

/** The one sample of a metric with these labels, and those that are not named whatever they are; summed up. */
export function valueOf(
  metrics: readonly ScrapedMetric[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = metrics
    .flatMap(({ samples }) => samples)
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0)
}

interface Draft {
  readonly name: string
  readonly help: string
  type: string | undefined
  readonly samples: ScrapedSample[]
}

class Reader {
  readonly #metrics = new Map<string, Draft>()
  readonly #series = new Set<string>()
  #current: Draft | undefined

  read(line: string): void {
    if (line === "") return
    const [, kind, name, rest] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? []
    if (name === undefined || rest === undefined) this.#readSample(line)
    else if (kind === "HELP") this.#begin(name, unescape(rest, /\\([\\n])/g))
    else this.#setType(name, rest)
  }

  finish(): readonly ScrapedMetric[] {
    return [...this.#metrics.values()].map(({ name, help, type, samples }) => {
      if (type === undefined) throw new Error(`${name} has no type`)
      if (type === "histogram") checkHistogram(name, samples)
      if (type === "counter" && samples.some(({ value }) => !(value >= 0))) throw new Error(`${name} is below 0`)
      return { name, help, type, samples }
    })
  }

  #begin(name: string, help: string): void {
    if (this.#metrics.has(name)) throw new Error(`${name} comes twice`)
    this.#current = { name, help, type: undefined, samples: [] }
    this.#metrics.set(name, this.#current)
  }

  #setType(name: string, type: string): void {
    if (!/^(counter|gauge|histogram|summary|untyped)$/.test(type)) throw new Error(`"${type}" is no type`)
    if (this.#current?.name !== name || this.#current.type !== undefined) throw new Error("TYPE does not follow HELP")
    this.#current.type = type
  }

  #readSample(line: string): void {
    const [, name, labelText, valueText] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (name === undefined || valueText === undefined) throw new Error("neither HELP, TYPE nor a sample")
    const current = this.#current
    if (current?.type === undefined) throw new Error("a sample before its TYPE")
    const suffixes = current.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""]
    if (!suffixes.some((suffix) => name === `${current.name}${suffix}`))
      throw new Error(`is no sample of ${current.name}`)
    const labels = parseLabels(labelText ?? "")
    const key = `${name}${keyOf(labels)}`
    if (this.#series.has(key)) throw new Error("the series comes twice")
    this.#series.add(key)
    current.samples.push({ name, labels, value: parseValue(valueText) })
  }
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  let rest = text
  while (rest !== "") {
    const [matched, label, value] = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,(?=.)|$)/.exec(rest) ?? []
    if (matched === undefined || label === undefined || value === undefined) throw new Error(`bad labels "${rest}"`)
    if (Object.hasOwn(labels, label)) throw new Error(`the label ${label} comes twice`)
    labels[label] = unescape(value, /\\(["\\n])/g)
    rest = rest.slice(matched.length)
  }
  return labels
}

function unescape(text: string, pattern: RegExp): string {
  return text.replaceAll(pattern, (_match, escaped: string) => (escaped === "n" ? "\n" : escaped))
}

function parseValue(text: string): number {
  if (/^[+-]?Inf$/.test(text)) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (text === "NaN") return Number.NaN
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new Error(`"${text}" is no number`)
  return Number(text)
}

/** The labels in one order, whatever the order they came in. */
function keyOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/** Buckets of each series ascend in their bounds and in their counts, and the last one is infinite and holds everything. */
function checkHistogram(name: string, samples: readonly ScrapedSample[]): void {
  const groups = new Map<string, ScrapedSample[]>()
  for (const sample of samples) {
    const { le: _le, ...labels } = sample.labels
    const key = keyOf(labels)
    groups.set(key, [...(groups.get(key) ?? []), sample])
  }
  for (const [key, group] of groups) {
    const only = (suffix: string) => group.filter((sample) => sample.name === `${name}${suffix}`)
    const buckets = only("_bucket").map(({ labels, value }) => ({ le: parseValue(labels["le"] ?? "missing"), value }))
    const ascends = buckets.every(({ le, value }, index) => {
      const before = buckets[index - 1]
      return before === undefined || (le > before.le && value >= before.value)
    })
    const [counts, sums] = [only("_count"), only("_sum")]
    const last = buckets.at(-1)
    if (!ascends) throw new Error(`the buckets of ${name}${key} do not ascend`)
    if (last?.le !== Number.POSITIVE_INFINITY) throw new Error(`${name}${key} has no infinite bucket at its end`)
    if (counts.length !== 1 || sums.length !== 1) throw new Error(`${name}${key} lacks its sum or its count`)
    if (counts[0]?.value !== last.value) throw new Error(`the infinite bucket of ${name}${key} is not its count`)
  }
}
