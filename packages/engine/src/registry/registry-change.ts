import type { TaskerError } from "../core/error.ts"

/** The registries that there are: of workflows with their handlers, of plugins, of subscribers. */
export type RegistryName = "handler" | "plugin" | "subscriber"

/** What is worth saying of an entry, in a log line or an event: names and counts, never functions or configs. */
export type EntryFacts = Readonly<Record<string, string | number | readonly string[] | null>>

/**
 * What a registry did, or refused to do. Told once, after it was done; what the
 * callback throws reaches whoever called the registry.
 */
export type RegistryChange = EntryRegistered | EntryReplaced | EntryUnregistered | EntryRefused | FolderDiscovered

export type OnRegistryChange = (change: RegistryChange) => void

interface ChangeOrigin {
  readonly registry: RegistryName
  /** What the caller gave to follow the change through other systems; `null` when nothing. */
  readonly correlationId: string | null
}

interface EntryChange extends ChangeOrigin {
  /** `namespace/name@version` of a workflow; the name of a plugin or subscriber. */
  readonly key: string
  /** The file that the entry came from; `null` when it was registered in code. */
  readonly source: string | null
  readonly facts: EntryFacts
}

export interface EntryRegistered extends EntryChange {
  readonly operation: "registered"
}

export interface EntryReplaced extends EntryChange {
  readonly operation: "replaced"
  /** The entry that stood there. */
  readonly replaced: { readonly source: string | null; readonly facts: EntryFacts }
}

export interface EntryUnregistered extends EntryChange {
  readonly operation: "unregistered"
}

/** An entry was not taken: it is misshapen, or another one stands under its key. `error.code` says which. */
export interface EntryRefused extends ChangeOrigin {
  readonly operation: "validation_failed"
  /** `null` when it has no name that could be read. */
  readonly key: string | null
  readonly source: string | null
  readonly error: TaskerError
}

/** A folder was searched: `discovery_completed` when all of it could be used, else `discovery_failed`. */
export interface FolderDiscovered extends ChangeOrigin {
  readonly operation: "discovery_completed" | "discovery_failed"
  readonly folder: string
  readonly registered: readonly DiscoveredEntry[]
  readonly failures: readonly DiscoveryFailure[]
  /** What it took, in milliseconds. */
  readonly durationMs: number
}

/** An entry that stands in the registry because of a file. */
export interface DiscoveredEntry {
  readonly key: string
  readonly file: string
}

/** A file that could not be used, or part of one. */
export interface DiscoveryFailure {
  /** The folder itself when it cannot be read. */
  readonly file: string
  /** The export that was refused; `null` when the file could not be loaded, or exports nothing that is wanted. */
  readonly exportName: string | null
  readonly error: TaskerError
}
