import { defineWorkflow } from "@tasker/engine"
import { createPatternHandlers, type PatternHandlers } from "./step-handlers.ts"

export interface PatternOptions {
  readonly handlers?: PatternHandlers | undefined
  readonly maxAttempts?: number | undefined
  /** The delay before the second attempt; it doubles from there. Default: 50 ms. */
  readonly backoffMs?: number | undefined
}

/**
 * The shapes that a workflow can have, each with steps that fail on the way. All run to completion in the three
 * attempts that a step has.
 */
export function patternWorkflows({
  handlers = createPatternHandlers(),
  maxAttempts = 3,
  backoffMs = 50,
}: PatternOptions = {}) {
  const shared = {
    namespace: "patterns",
    version: "1.0.0",
    maxAttempts,
    backoff: { baseMs: backoffMs, capMs: 30_000, factor: 2, jitter: 0 },
  } as const
  return {
    linear: linear(shared, handlers),
    diamond: diamond(shared, handlers),
    parallelMerge: parallelMerge(shared, handlers),
    tree: tree(shared, handlers),
    mixed: mixed(shared, handlers),
    configurableFailure: configurableFailure(shared, handlers),
  }
}

interface Shared {
  readonly namespace: string
  readonly version: string
  readonly maxAttempts: number
  readonly backoff: {
    readonly baseMs: number
    readonly capMs: number
    readonly factor: number
    readonly jitter: number
  }
}

/** Six steps, one after the other. */
function linear(shared: Shared, { configurableFailure: fail }: PatternHandlers) {
  return defineWorkflow({ ...shared, name: "linear_workflow" })
    .step("initialize_data", { handler: fail(0) })
    .step("validate_input", { dependsOn: ["initialize_data"], handler: fail(0) })
    .step("process_data", { dependsOn: ["validate_input"], handler: fail(1) })
    .step("transform_results", { dependsOn: ["process_data"], handler: fail(0) })
    .step("validate_output", { dependsOn: ["transform_results"], handler: fail(0) })
    .step("finalize_workflow", { dependsOn: ["validate_output"], handler: fail(0) })
}

/** Two branches of two steps, which meet again. */
function diamond(shared: Shared, { configurableFailure: fail, networkTimeout }: PatternHandlers) {
  return defineWorkflow({ ...shared, name: "diamond_workflow" })
    .step("start_workflow", { handler: fail(0) })
    .step("branch_one_process", { dependsOn: ["start_workflow"], handler: fail(1) })
    .step("branch_two_process", { dependsOn: ["start_workflow"], handler: networkTimeout(1) })
    .step("branch_one_validate", { dependsOn: ["branch_one_process"], handler: fail(0) })
    .step("branch_two_validate", { dependsOn: ["branch_two_process"], handler: fail(0) })
    .step("merge_branches", { dependsOn: ["branch_one_validate", "branch_two_validate"], handler: fail(0) })
    .step("end_workflow", { dependsOn: ["merge_branches"], handler: fail(0) })
}

/** Four roots at once, two of them processed further, merged into one. */
function parallelMerge(shared: Shared, { configurableFailure: fail, networkTimeout }: PatternHandlers) {
  return defineWorkflow({ ...shared, name: "parallel_merge_workflow" })
    .step("fetch_user_data", { handler: fail(0) })
    .step("fetch_order_data", { handler: fail(1) })
    .step("fetch_inventory_data", { handler: networkTimeout(1) })
    .step("fetch_pricing_data", { handler: fail(0) })
    .step("process_user_data", { dependsOn: ["fetch_user_data"], handler: fail(0) })
    .step("process_order_data", { dependsOn: ["fetch_order_data"], handler: fail(0) })
    .step("merge_all_data", {
      dependsOn: ["process_user_data", "process_order_data", "fetch_inventory_data", "fetch_pricing_data"],
      handler: fail(1),
    })
}

/** A root, two branches, two leaves on each, and a step that gathers the leaves. */
function tree(shared: Shared, { configurableFailure: fail, networkTimeout }: PatternHandlers) {
  return defineWorkflow({ ...shared, name: "tree_workflow" })
    .step("root_initialization", { handler: fail(0) })
    .step("branch_a_setup", { dependsOn: ["root_initialization"], handler: fail(0) })
    .step("branch_b_setup", { dependsOn: ["root_initialization"], handler: fail(1) })
    .step("branch_a_task_one", { dependsOn: ["branch_a_setup"], handler: fail(0) })
    .step("branch_a_task_two", { dependsOn: ["branch_a_setup"], handler: networkTimeout(1) })
    .step("branch_b_task_one", { dependsOn: ["branch_b_setup"], handler: fail(0) })
    .step("branch_b_task_two", { dependsOn: ["branch_b_setup"], handler: fail(1) })
    .step("aggregate_results", {
      dependsOn: ["branch_a_task_one", "branch_a_task_two", "branch_b_task_one", "branch_b_task_two"],
      handler: fail(0),
    })
}

/** Two roots that meet, part, and meet again. */
function mixed(shared: Shared, { configurableFailure: fail, networkTimeout, idempotent }: PatternHandlers) {
  return defineWorkflow({ ...shared, name: "mixed_workflow" })
    .step("init_auth", { handler: fail(0) })
    .step("init_config", { handler: fail(0) })
    .step("validate_permissions", { dependsOn: ["init_auth"], handler: fail(1) })
    .step("setup_environment", { dependsOn: ["init_config"], handler: networkTimeout(1) })
    .step("begin_processing", { dependsOn: ["validate_permissions", "setup_environment"], handler: fail(0) })
    .step("process_critical_data", { dependsOn: ["begin_processing"], handler: fail(2) })
    .step("process_optional_data", { dependsOn: ["begin_processing"], handler: fail(0) })
    .step("cleanup_temp_files", { dependsOn: ["setup_environment"], handler: fail(0) })
    .step("finalize_and_report", {
      dependsOn: ["process_critical_data", "cleanup_temp_files"],
      handler: idempotent(1),
    })
}

/** One step of each kind of failure. */
function configurableFailure(
  shared: Shared,
  { configurableFailure: fail, networkTimeout, idempotent }: PatternHandlers,
) {
  return defineWorkflow({ ...shared, name: "configurable_failure_workflow" })
    .step("reliable_step", { handler: fail(0) })
    .step("flaky_step", { dependsOn: ["reliable_step"], handler: fail(2) })
    .step("timeout_step", { dependsOn: ["flaky_step"], handler: networkTimeout(1) })
    .step("idempotent_step", { dependsOn: ["timeout_step"], handler: idempotent(1) })
}
