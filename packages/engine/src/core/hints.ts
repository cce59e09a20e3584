/**
 * Something that may be worth a look: steps may be ready, tasks may have ended,
 * running steps may have been cancelled. A hint carries nothing and may be lost;
 * whoever listens also polls.
 */
export type Hint = "ready" | "ended" | "cancelled"

/** Hints within one process. */
export interface Hints {
  /** Tells everybody in this process. */
  emit(hint: Hint): void
  /** @returns a function that stops listening */
  on(hint: Hint, listener: () => void): () => void
}

export function createHints(): Hints {
  const listeners: Record<Hint, Set<() => void>> = { ready: new Set(), ended: new Set(), cancelled: new Set() }
  return {
    emit(hint) {
      for (const listener of listeners[hint]) listener()
    },
    on(hint, listener) {
      // Wrapped, so that the same function can listen twice and stop once.
      const own = () => listener()
      listeners[hint].add(own)
      return () => void listeners[hint].delete(own)
    },
  }
}
