/** Who acts on a task or a queue from outside, and why. */
export interface OperatorNote {
  /** A person's name or a program's; `undefined` when nobody says. */
  readonly by?: string | undefined
  readonly reason?: string | undefined
}
