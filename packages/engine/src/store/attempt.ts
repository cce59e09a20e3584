/** Which attempt of which step. */
export interface AttemptKey {
  readonly taskId: string
  readonly stepNo: number
  readonly attempt: number
}

/** The keys as the parallel arrays that our functions take. */
export function attemptArrays(keys: readonly AttemptKey[]): readonly [string[], number[], number[]] {
  return [keys.map((key) => key.taskId), keys.map((key) => key.stepNo), keys.map((key) => key.attempt)]
}

/** The key as text, to look it up by. */
export function attemptText({ taskId, stepNo, attempt }: AttemptKey): string {
  return `${taskId}:${stepNo}:${attempt}`
}
