/** Which tasks a number is about; `undefined` is no condition. */
export interface WorkflowFilter {
  readonly namespace?: string | undefined
  readonly workflow?: string | undefined
  readonly version?: string | undefined
}

/** From `since` on, and before `until`. */
export interface Period {
  readonly since: Date
  readonly until: Date
}

/** As {@link Period}, where a bound may be missing. */
export interface OpenPeriod {
  readonly since?: Date | undefined
  readonly until?: Date | undefined
}
