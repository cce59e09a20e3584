import { TaskerError } from "../core/error.ts"

/**
 * Waits for work, but not for long. Work that comes too late goes on by itself; its failure is nobody's.
 *
 * @param what what there is to wait for, for the message: "the database did not answer"
 * @throws TASKER_DATABASE_UNAVAILABLE when it takes longer.
 */
export async function within<T>(work: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    const late = new TaskerError("TASKER_DATABASE_UNAVAILABLE", `${what} within ${Math.round(timeoutMs)} ms`, {
      hint: "look at the server, at what blocks it, and at the network",
      details: { timeoutMs },
    })
    timer = setTimeout(() => reject(late), timeoutMs)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}
