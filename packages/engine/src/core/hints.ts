/**
 * Something that may be worth a look: steps may be ready, tasks may have ended,
 * running steps may have been cancelled, history may have moved on. A hint may be
 * lost; whoever listens also polls.
 */
export type Hint = (typeof HINTS)[number]

export const HINTS = ["ready", "ended", "cancelled", "moved"] as const

/** How often somebody who follows history says so to other processes, which then say when it moves. */
export const FOLLOWING_MS = 10_000

/** How long it counts as being followed since somebody said so. */
export const FOLLOWED_MS = 30_000

export type HintListener = (taskIds?: readonly string[]) => void

/** Hints within one process. */
export interface Hints {
  /**
   * Tells everybody in this process.
   *
   * @param taskIds - the tasks that it is about, where that is known
   */
  emit(hint: Hint, taskIds?: readonly string[]): void
  /** @returns a function that stops listening */
  on(hint: Hint, listener: HintListener): () => void
}

export function createHints(): Hints {
  const listeners: Record<Hint, Set<HintListener>> = {
    ready: new Set(),
    ended: new Set(),
    cancelled: new Set(),
    moved: new Set(),
  }
  return {
    emit(hint, taskIds) {
      for (const listener of listeners[hint]) listener(taskIds)
    },
    on(hint, listener) {
      // Wrapped, so that the same function can listen twice and stop once.
      const own: HintListener = (taskIds) => listener(taskIds)
      listeners[hint].add(own)
      return () => void listeners[hint].delete(own)
    },
  }
}
