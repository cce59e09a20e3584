import type { Database } from "./core/database.ts"
import { TaskerError } from "./core/error.ts"
import type { EventSink } from "./core/events/event-sink.ts"
import type { AnyWorkflow, WorkflowId } from "./core/workflow.ts"
import { assertWorkflow } from "./registry/assert-workflow.ts"
import type { HandlerRegistry, RegisteredWorkflow } from "./registry/handler-registry.ts"
import type { RegisterOptions, UnregisterOptions } from "./registry/registry.ts"
import { registerWorkflow, type StoredWorkflow } from "./store/register-workflow.ts"

/** A workflow of this process, and what the database calls it. */
export interface KnownWorkflow extends RegisteredWorkflow, StoredWorkflow {}

export interface KnownWorkflowsOptions {
  readonly database: Database
  readonly events: EventSink
  readonly registry: HandlerRegistry
}

/** The workflows of this process, each as the database knows it. */
export class KnownWorkflows {
  readonly #options: KnownWorkflowsOptions
  readonly #known = new Map<string, KnownWorkflow>()

  constructor(options: KnownWorkflowsOptions) {
    this.#options = options
  }

  /** Stores all that the registry has. */
  async storeAll(replace: boolean): Promise<void> {
    for (const registered of this.#options.registry.list()) await this.#store(registered, replace)
  }

  /** Adds one: to the registry, which judges it, and to the database. If that refuses it, the registry is as it was. */
  async register(workflow: AnyWorkflow, options: RegisterOptions = {}): Promise<RegisteredWorkflow> {
    const { registry } = this.#options
    const registered = registry.register(workflow, options)
    const before = this.#known.get(nameOf(registered.workflow))
    try {
      await this.#store(registered, options.replace ?? false)
    } catch (error) {
      const { correlationId } = options
      if (before === undefined) registry.unregister(registered.workflow, { correlationId })
      else registry.register(before.workflow, { replace: true, correlationId })
      throw error
    }
    return registered
  }

  /** @returns whether there was one */
  unregister(id: WorkflowId, options: UnregisterOptions = {}): boolean {
    const wasThere = this.#options.registry.unregister(id, options)
    this.#known.delete(nameOf(id))
    return wasThere
  }

  list(): readonly KnownWorkflow[] {
    return [...this.#known.values()]
  }

  /** @throws TaskerError `TASKER_WORKFLOW_NOT_FOUND` */
  find(workflow: AnyWorkflow): KnownWorkflow {
    // Without a compiler it may be anything: a name, a promise.
    return (workflow === Object(workflow) ? this.#known.get(nameOf(workflow)) : undefined) ?? refuseUnknown(workflow)
  }

  async #store(registered: RegisteredWorkflow, replace: boolean): Promise<void> {
    const { database, events } = this.#options
    const { namespace, name, version, steps, definition } = registered.workflow
    const stored = await registerWorkflow(database, definition, { replace })
    this.#known.set(nameOf(registered.workflow), { ...registered, ...stored })
    if (stored.change === "kept") return
    events.publish(`workflow.${stored.change}`, { namespace, workflow: name, version, stepCount: steps.length })
  }
}

function nameOf({ namespace, name, version }: WorkflowId): string {
  return `${namespace}.${name}@${version}`
}

function refuseUnknown(workflow: AnyWorkflow): never {
  assertWorkflow(workflow)
  const { namespace, name, version } = workflow
  throw new TaskerError("TASKER_WORKFLOW_NOT_FOUND", `this process has no workflow ${nameOf(workflow)}`, {
    hint: "pass it to createTasker in `workflows`, or to `registerWorkflow`",
    details: { namespace, name, version },
  })
}
