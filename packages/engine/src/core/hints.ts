/**
 * Something that may be worth a look: steps may be ready, tasks may have ended,
 * running steps may have been cancelled. A hint may be lost; whoever listens also
 * polls.
 */
export type Hint = "ready" | "ended" | "cancelled"

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
  const listeners: Record<Hint, Set<HintListener>> = { ready: new Set(), ended: new Set(), cancelled: new Set() }
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
