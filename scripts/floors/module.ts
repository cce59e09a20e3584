export interface Finding {
  readonly line: number
  readonly text: string
}

/** What the rules need to know of one source file. */
export interface Module {
  /** From the root of the repository, with forward slashes. */
  readonly path: string
  /** Every import and re-export, those of types included. `text` is the specifier. */
  readonly imports: readonly Finding[]
  /** Imports whose specifier is computed, so that no rule can follow them. */
  readonly computedImports: readonly Finding[]
  readonly environmentReads: readonly Finding[]
  /** Clocks, timers, chance and I/O, reached through globals. */
  readonly impurities: readonly Finding[]
  readonly tableSql: readonly Finding[]
  readonly sessionSql: readonly Finding[]
}
