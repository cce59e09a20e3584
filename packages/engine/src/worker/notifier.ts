import type { Queryable } from "../core/database.ts"
import type { Hint } from "../core/hints.ts"
import { notify } from "../store/notify.ts"

/** The channel that all processes listen on. */
export const CHANNEL = "tasker"

/** At most one notification per this time: each one's commit makes the others wait. */
const INTERVAL_MS = 25

/** Tells other processes that something may be worth a look. */
export interface Notifier {
  notify(hint: Hint): void
  /** Ends it; what was not sent yet is dropped, since it is only a hint. */
  close(): void
}

/**
 * Sends hints to other processes, the first at once and then gathered, outside
 * of every transaction. A hint that cannot be sent is dropped: everybody polls.
 *
 * @param origin - this process, so that it does not answer itself
 * @param isEnabled - false sends nothing
 */
export function createNotifier(db: Queryable, origin: string, isEnabled = true): Notifier {
  const pending = new Set<Hint>()
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    timer = undefined
    if (pending.size === 0) return
    const hints = [...pending]
    pending.clear()
    timer = setTimeout(flush, INTERVAL_MS)
    timer.unref()
    notify(db, CHANNEL, `${hints.join(",")}:${origin}`).catch(() => {})
  }
  return {
    notify(hint) {
      if (!isEnabled) return
      pending.add(hint)
      if (timer === undefined) flush()
    },
    close() {
      clearTimeout(timer)
      timer = undefined
      pending.clear()
    },
  }
}

const HINTS: readonly Hint[] = ["ready", "ended", "cancelled"]

/** The hints in a notification, none when it is this process's own. */
export function readNotification(payload: string, origin: string): readonly Hint[] {
  const [hints = "", from] = payload.split(":")
  return from === origin ? [] : HINTS.filter((hint) => hints.split(",").includes(hint))
}
