/** Numbers from 0 to 1 that are the same for the same seed. */
export interface SeededRandom {
  readonly seed: number
  next(): number
  /** An integer from 0 to `limit`, which is excluded. */
  below(limit: number): number
}

/** The seed is `CHAOS_SEED` when that is set, to see again what another run saw; it is printed either way. */
export function seededRandom(what: string): SeededRandom {
  const given = Number(process.env["CHAOS_SEED"])
  const seed = Number.isInteger(given) && given > 0 ? given : 1 + Math.floor(Math.random() * 2 ** 31)
  process.stdout.write(`chaos: ${what}: CHAOS_SEED=${seed}\n`)
  let state = seed
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { seed, next, below: (limit) => Math.floor(next() * limit) }
}
