import { describeValue } from "../core/describe-value.ts"
import { TaskerError } from "../core/error.ts"
import { isObject } from "../core/is-object.ts"
import { didYouMean } from "../core/names.ts"
import { compareVersions, parseVersion } from "../core/semver.ts"
import { maxSatisfying } from "../core/version-range.ts"
import type { AnyWorkflow, WorkflowId } from "../core/workflow.ts"
import { assertWorkflow } from "./assert-workflow.ts"
import { nameOf, textAt } from "./check-members.ts"
import { compareWorkflows } from "./compare-workflows.ts"
import { createIndex } from "./create-index.ts"
import { discoverWorkflows, type DiscoverWorkflowsOptions } from "./discovery/discover-workflows.ts"
import type { Discovery } from "./discovery/discover-folder.ts"
import {
  createRegistry,
  type RegisterOptions,
  type Registry,
  type RegistryStats,
  type UnregisterOptions,
} from "./registry.ts"
import type { OnRegistryChange } from "./registry-change.ts"
import { type BodyValidator, createBodyValidators } from "./validate-event.ts"
import { createInputValidator, type InputValidator } from "./validate-input.ts"

/** A workflow that this process can run, and what checks its input and its events. */
export interface RegisteredWorkflow {
  readonly workflow: AnyWorkflow
  readonly validateInput: InputValidator
  /** What checks the bodies of the events that it declares, by name. */
  readonly validateBody: ReadonlyMap<string, BodyValidator>
}

export interface HandlerRegistryStats extends RegistryStats {
  readonly namespaceCount: number
  /** How many names there are, whatever their versions. */
  readonly nameCount: number
  readonly stepCount: number
  /** How many workflows each namespace has, every version counted. */
  readonly workflowCountByNamespace: Readonly<Record<string, number>>
}

/** The workflows that this process can run, by namespace, name and semantic version. */
export interface HandlerRegistry {
  /**
   * Adds a workflow. One that means the same as the one that is there changes nothing.
   *
   * @returns what stands now
   * @throws TaskerError `TASKER_WORKFLOW_INVALID` when it cannot be run: it is misshapen, a handler is missing,
   *   or the JSON Schema of its input is none
   * @throws TaskerError `TASKER_WORKFLOW_CHANGED` when another one has its name and version, unless `replace` is set
   */
  register(workflow: AnyWorkflow, options?: RegisterOptions): RegisteredWorkflow
  /**
   * Looks a workflow up.
   *
   * @param range - a version, a range such as `^1.2.0`, or `latest`. Default: the greatest release.
   *   Prereleases are found by a version or range that names one, and by `latest` when there is no release.
   * @throws TaskerError `TASKER_WORKFLOW_NOT_FOUND`, with the versions there are in `details.versions`
   * @throws TaskerError `TASKER_OPTION_INVALID` when `range` is neither a version nor a range
   */
  get(namespace: string, name: string, range?: string): RegisteredWorkflow
  /** As {@link get}, but `undefined` when there is none. */
  find(namespace: string, name: string, range?: string): RegisteredWorkflow | undefined
  /** Sorted by namespace, name and version, the greatest version last. A list that was returned never changes. */
  list(filter?: { readonly namespace?: string | undefined }): readonly RegisteredWorkflow[]
  /** Sorted. */
  namespaces(): readonly string[]
  /**
   * @returns whether there was one
   * @throws TaskerError `TASKER_OPTION_INVALID` when `id` is no object
   */
  unregister(id: WorkflowId, options?: UnregisterOptions): boolean
  stats(): HandlerRegistryStats
  /**
   * Registers every workflow of a folder: those that modules export, and those of YAML files.
   *
   * A YAML file takes its handlers from `handlers`, and from what the module beside it exports: `ship_order.yaml` from
   * `ship_order.js`.
   *
   * @throws TaskerError `TASKER_DISCOVERY_FAILED` when a file cannot be used and `strict` is set
   */
  discover(folder: string | URL, options?: DiscoverWorkflowsOptions): Promise<Discovery>
}

export interface HandlerRegistryOptions {
  /** Told of every operation. Default: nobody is. */
  readonly onChange?: OnRegistryChange | undefined
}

/** Makes an empty registry of workflows. */
export function createHandlerRegistry({ onChange = () => {} }: HandlerRegistryOptions = {}): HandlerRegistry {
  const registry = createWorkflowRegistry(onChange)
  const index = createIndex(registry.list, indexVersions)

  function find(namespace: string, name: string, range = "*"): RegisteredWorkflow | undefined {
    const exact = registry.get(keyOf({ namespace, name, version: range }))
    if (exact !== undefined) return exact
    const versions = index().get(namespace)?.get(name) ?? []
    const version = maxSatisfying(versions, range)
    return version === undefined ? undefined : registry.get(keyOf({ namespace, name, version }))
  }

  function get(namespace: string, name: string, range?: string): RegisteredWorkflow {
    const found = find(namespace, name, range)
    if (found === undefined) throw notFound(index(), namespace, name, range)
    return found
  }

  function list({ namespace }: { readonly namespace?: string | undefined } = {}): readonly RegisteredWorkflow[] {
    const all = registry.list().filter(({ workflow }) => namespace === undefined || workflow.namespace === namespace)
    return all.toSorted((one, other) => compareIds(one.workflow, other.workflow))
  }

  function stats(): HandlerRegistryStats {
    const names = [...index().values()].map((byName) => byName.size)
    const counts = [...index()].map(([namespace, byName]) => [namespace, [...byName.values()].flat().length] as const)
    return {
      ...registry.stats(),
      namespaceCount: names.length,
      nameCount: names.reduce((sum, count) => sum + count, 0),
      stepCount: registry.list().reduce((sum, { workflow }) => sum + workflow.steps.length, 0),
      workflowCountByNamespace: Object.fromEntries(counts),
    }
  }

  function unregister(id: WorkflowId, options?: UnregisterOptions): boolean {
    // Without a compiler it may be anything.
    if (!isObject(id)) {
      throw new TaskerError("TASKER_OPTION_INVALID", `expected the id of a workflow, got ${describeValue(id)}`, {
        hint: "pass the workflow, or its namespace, name and version",
      })
    }
    return registry.unregister(keyOf(id), options) !== undefined
  }

  return Object.freeze({
    register: registry.register,
    get,
    find,
    list,
    namespaces: () => [...index().keys()].toSorted(),
    unregister,
    stats,
    discover: async (folder: string | URL, options?: DiscoverWorkflowsOptions) =>
      await discoverWorkflows({ register: registry.register, keyOf, onChange }, folder, options),
  })
}

function createWorkflowRegistry(onChange: OnRegistryChange): Registry<RegisteredWorkflow, AnyWorkflow> {
  return createRegistry<RegisteredWorkflow, AnyWorkflow>({
    registry: "handler",
    kind: "workflow",
    toEntry: (workflow) => {
      assertWorkflow(workflow)
      const validateInput = createInputValidator(workflow.inputSchema, workflow)
      return Object.freeze({ workflow, validateInput, validateBody: createBodyValidators(workflow) })
    },
    keyOf: ({ workflow }) => keyOf(workflow),
    labelOf,
    factsOf: ({ workflow: { namespace, name, version, steps } }) => ({
      namespace,
      name,
      version,
      stepCount: steps.length,
    }),
    differenceOf: (standing, entry) => compareWorkflows(standing.workflow, entry.workflow),
    invalidCode: "TASKER_WORKFLOW_INVALID",
    conflictCode: "TASKER_WORKFLOW_CHANGED",
    conflictHint: "give the changed workflow a new version, or pass `replace: true`",
    onChange,
  })
}

/** Namespace → name → versions. */
type Index = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

function indexVersions(all: readonly RegisteredWorkflow[]): Index {
  const index = new Map<string, Map<string, string[]>>()
  for (const { workflow } of all) {
    const byName = index.get(workflow.namespace) ?? new Map<string, string[]>()
    index.set(workflow.namespace, byName)
    byName.set(workflow.name, [...(byName.get(workflow.name) ?? []), workflow.version])
  }
  return index
}

function keyOf({ namespace, name, version }: WorkflowId): string {
  return `${namespace}/${name}@${version}`
}

/** What to call something that may be no workflow, by as much of its name as it has. */
function labelOf(given: unknown): string | undefined {
  const name = nameOf(given)
  if (name === undefined) return undefined
  const [namespace, version] = [textAt(given, "namespace"), textAt(given, "version")]
  return `${namespace === undefined ? "" : `${namespace}/`}${name}${version === undefined ? "" : `@${version}`}`
}

function compareIds(one: WorkflowId, other: WorkflowId): number {
  return (
    compareText(one.namespace, other.namespace)
    || compareText(one.name, other.name)
    || compareVersionText(one.version, other.version)
  )
}

function compareText(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

function compareVersionText(one: string, other: string): number {
  const [version, otherVersion] = [parseVersion(one), parseVersion(other)]
  // Nothing else is registered.
  return version === undefined || otherVersion === undefined ? 0 : compareVersions(version, otherVersion)
}

function notFound(index: Index, namespace: string, name: string, range: string | undefined): TaskerError {
  const versions = (index.get(namespace)?.get(name) ?? []).toSorted(compareVersionText)
  const details = { namespace, name, ...(range === undefined ? {} : { range }), versions }
  if (versions.length === 0) {
    const message = `no workflow "${name}" is registered in namespace "${namespace}"`
    return new TaskerError("TASKER_WORKFLOW_NOT_FOUND", message, { hint: suggestName(index, namespace, name), details })
  }
  const which = range === undefined ? "no release" : `no version that is "${range}"`
  return new TaskerError(
    "TASKER_WORKFLOW_NOT_FOUND",
    `workflow "${namespace}/${name}" has ${which}, only ${versions.join(", ")}`,
    {
      hint:
        range === undefined
          ? "name a prerelease to get it"
          : "ask for one of these versions, or register the one that is missing",
      details,
    },
  )
}

function suggestName(index: Index, namespace: string, name: string): string {
  const near = didYouMean(name, index.get(namespace)?.keys() ?? [])
  if (near !== undefined) return near
  const elsewhere = [...index].filter(([, byName]) => byName.has(name)).map(([other]) => `"${other}"`)
  if (elsewhere.length > 0) return `it is registered in namespace ${elsewhere.join(", ")}`
  const nearNamespace = index.has(namespace) ? undefined : didYouMean(namespace, index.keys())
  if (nearNamespace !== undefined) return nearNamespace
  return index.size === 0
    ? "no workflow is registered; pass it to createTasker in `workflows`"
    : "register it, or check its name"
}
