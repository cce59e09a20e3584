const actions = new Set<() => void>()

/**
 * Runs something synchronous when this process exits by itself or by `process.exit`; a signal that nobody handles skips it.
 * There is one listener for all, since node warns of a leak from the eleventh on.
 *
 * @returns a function that takes it back.
 */
export function atExit(action: () => void): () => void {
  if (actions.size === 0) process.on("exit", runAll)
  actions.add(action)
  return () => {
    actions.delete(action)
    if (actions.size === 0) process.off("exit", runAll)
  }
}

function runAll(): void {
  for (const action of actions) action()
}
