/** Runs work, at most so many at once; the rest waits its turn. */
export type Limiter = <T>(work: () => Promise<T>) => Promise<T>

/** @param maxRunning - 1 or more */
export function createLimiter(maxRunning: number): Limiter {
  const waiting: (() => void)[] = []
  let runningCount = 0
  return async (work) => {
    if (runningCount >= maxRunning) await new Promise<void>((resolve) => waiting.push(resolve))
    else runningCount += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      // The place goes to the next in line without ever being free.
      if (next === undefined) runningCount -= 1
      else next()
    }
  }
}
