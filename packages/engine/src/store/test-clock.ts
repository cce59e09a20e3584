/** When tests begin. Nothing happens by itself, so it is as good as any time. */
const EPOCH = Date.parse("2030-01-01T00:00:00Z")

/** The clock of tests: so many milliseconds after they began. */
export function at(ms: number): Date {
  return new Date(EPOCH + ms)
}
