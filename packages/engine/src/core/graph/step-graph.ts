/**
 * A graph of steps, each after all that it depends on. A step is its index in the
 * list; everything here takes time in proportion to steps and dependencies.
 */
export interface StepGraph {
  readonly size: number
  /** Of each step, those that it depends on: smaller indices. */
  readonly parents: readonly (readonly number[])[]
  /** Of each step, those that depend on it. */
  readonly children: readonly (readonly number[])[]
  /** Of each step, the length of the longest path that leads to it: 0 for one that depends on nothing. */
  readonly levels: readonly number[]
}

/** @param parents - of each step, indices smaller than its own */
export function createStepGraph(parents: readonly (readonly number[])[]): StepGraph {
  const children: number[][] = parents.map(() => [])
  const levels: number[] = []
  for (const [step, above] of parents.entries()) {
    let level = 0
    for (const parent of above) {
      children[parent]?.push(step)
      level = Math.max(level, at(levels, parent) + 1)
    }
    levels.push(level)
  }
  return { size: parents.length, parents, children, levels }
}

/** How many steps there are below one. */
export interface DownstreamCounts {
  /** How many steps depend on it, directly or not. */
  readonly total: number
  /** How many of these `isCounted` accepts. */
  readonly counted: number
}

/**
 * Counts the steps below each step, each once however many paths lead to it. A bit for
 * each step, 32 at a time, so that a graph of thousands of steps takes no walk for each of them.
 */
export function countDownstream(graph: StepGraph, isCounted: (step: number) => boolean): readonly DownstreamCounts[] {
  const width = Math.ceil(graph.size / 32)
  const below = new Uint32Array(graph.size * width)
  const mask = new Uint32Array(width)
  for (let step = 0; step < graph.size; step++) if (isCounted(step)) setBit(mask, 0, step)
  const counts: DownstreamCounts[] = Array.from({ length: graph.size })
  // From the end: what is below a child is known before its parents ask.
  for (let step = graph.size - 1; step >= 0; step--) {
    const start = step * width
    for (const child of at(graph.children, step)) {
      setBit(below, start, child)
      const from = child * width
      // Only later steps are below a step, so the words before its own are empty.
      for (let word = child >>> 5; word < width; word++) {
        below[start + word] = at(below, start + word) | at(below, from + word)
      }
    }
    let total = 0
    let counted = 0
    for (let word = step >>> 5; word < width; word++) {
      const bits = at(below, start + word)
      total += countBits(bits)
      counted += countBits(bits & at(mask, word))
    }
    counts[step] = { total, counted }
  }
  return counts
}

/** The steps that at least one of these leads to, in order. */
export function stepsBelow(graph: StepGraph, starts: readonly number[]): readonly number[] {
  const seen = new Set<number>()
  const left = [...starts]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    for (const child of at(graph.children, next)) {
      if (seen.has(child)) continue
      seen.add(child)
      left.push(child)
    }
  }
  return [...seen].toSorted((a, b) => a - b)
}

/** The longest path through a graph by the weights of its steps. */
export interface LongestPath {
  readonly steps: readonly number[]
  readonly weight: number
}

/**
 * Finds the path whose weights add up to most. Of several, it goes by those that are listed first.
 *
 * @param weights - of each step; `undefined` for one that no path may go through
 */
export function longestPath(graph: StepGraph, weights: readonly (number | undefined)[]): LongestPath {
  const best: (number | undefined)[] = []
  const before: (number | undefined)[] = []
  let last: number | undefined
  for (const [step, weight] of weights.entries()) {
    const parent = heaviest(best, at(graph.parents, step))
    before.push(parent)
    best.push(weight === undefined ? undefined : weight + weightOf(best, parent))
    if (weight !== undefined && (last === undefined || weightOf(best, step) > weightOf(best, last))) last = step
  }
  const steps: number[] = []
  for (let step = last; step !== undefined; step = before[step]) steps.push(step)
  return { steps: steps.toReversed(), weight: weightOf(best, last) }
}

function heaviest(best: readonly (number | undefined)[], candidates: readonly number[]): number | undefined {
  let found: number | undefined
  for (const candidate of candidates) {
    if (best[candidate] === undefined) continue
    if (found === undefined || weightOf(best, candidate) > weightOf(best, found)) found = candidate
  }
  return found
}

function weightOf(best: readonly (number | undefined)[], step: number | undefined): number {
  return step === undefined ? 0 : (best[step] ?? 0)
}

function setBit(words: Uint32Array, start: number, bit: number): void {
  words[start + (bit >>> 5)] = at(words, start + (bit >>> 5)) | (1 << (bit & 31))
}

/** The bits of a word that are set, counted in parallel: in pairs, nibbles, bytes. */
function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

function at<T>(list: ArrayLike<T>, index: number): T {
  // Only indices of this graph are passed around in this file.
  return list[index] as T
}
