/**
 * What goes wrong in the shop: always the same, so that every run of the demo tells the same story. A fault happens
 * to the first requests for a path, and then no more.
 */
export type Fault =
  | { readonly kind: "status"; readonly status: number; readonly message: string; readonly retryAfter?: string }
  /** The answer comes after this time; the step that asked will be gone. */
  | { readonly kind: "slow"; readonly delayMs: number }
  /** The work is done, and the connection breaks before the answer. */
  | { readonly kind: "lost_answer" }

export interface SeededFault {
  readonly method: string
  readonly path: string
  /** Which requests for the path, from 1. */
  readonly requests: readonly number[]
  /** Of which user, where the path does not say. */
  readonly userId?: number
  readonly fault: Fault
}

export const SEEDED_FAULTS: readonly SeededFault[] = [
  {
    method: "GET",
    path: "/products/21",
    requests: [1],
    fault: { kind: "status", status: 429, message: "Too many requests, slow down", retryAfter: "1" },
  },
  {
    method: "GET",
    path: "/carts/user/103",
    requests: [1, 2],
    fault: { kind: "status", status: 503, message: "The price list is being updated" },
  },
  { method: "GET", path: "/users/104", requests: [1], fault: { kind: "slow", delayMs: 10_000 } },
  { method: "POST", path: "/carts/add", userId: 106, requests: [1], fault: { kind: "lost_answer" } },
]

/** Decides about each request whether something goes wrong with it. */
export function createFaults(
  seeded: readonly SeededFault[],
): (method: string, path: string, userId?: number) => Fault | undefined {
  const counts = new Map<SeededFault, number>()
  return (method, path, userId) => {
    const found = seeded.find(
      (entry) => entry.method === method && entry.path === path && (entry.userId ?? userId) === userId,
    )
    if (found === undefined) return undefined
    const count = (counts.get(found) ?? 0) + 1
    counts.set(found, count)
    return found.requests.includes(count) ? found.fault : undefined
  }
}
