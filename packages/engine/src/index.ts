// The public surface of @tasker/engine: every name, listed.

// Running Tasker
export { createTasker, type Tasker, type TaskerOptions } from "./tasker.ts"
export type { Worker } from "./worker/worker.ts"
export type { DatabaseCall, DatabaseCallListener } from "./database/watch-calls.ts"
export type { StopOptions, WorkerOptions } from "./worker/worker-options.ts"
export type { LogFields, Logger, LogLevel } from "./core/logger.ts"
export { createLogger, type LoggerOptions } from "./logging/create-logger.ts"
export type { LogDestination } from "./logging/log-destination.ts"
export { silentLogger } from "./core/logger.ts"
export { createRedactor, type Redact, type RedactOptions, type Redactor } from "./core/redact.ts"

// Defining workflows
export {
  defineWorkflow,
  type StepDefinition,
  type WorkflowBuilder,
  type WorkflowOptions,
} from "./core/define-workflow.ts"
export {
  defineTemplate,
  type HandlersFor,
  type Template,
  type TemplateOptions,
  type TemplateStep,
} from "./core/define-template.ts"
export { loadWorkflow, type LoadWorkflowOptions } from "./registry/definition-files/load-workflow.ts"
export {
  type HandlersByName,
  parseWorkflow,
  type ParseWorkflowOptions,
} from "./registry/definition-files/parse-workflow.ts"
export type { FileProblem } from "./registry/definition-files/file-problem.ts"
export { workflowFileSchema } from "./registry/definition-files/workflow-file-schema.ts"
export type {
  AnyWorkflow,
  Backoff,
  CreateInputOf,
  EventSpec,
  ExponentialBackoff,
  InputOf,
  ListedBackoff,
  Priority,
  PublishingStepHandler,
  ResultsOf,
  StepContext,
  StepHandler,
  StepSpec,
  StepTransaction,
  TransactionalStepContext,
  TransactionalStepHandler,
  Workflow,
  WorkflowDefinition,
  WorkflowId,
} from "./core/workflow.ts"
export type { JsonSchema, JsonValue, StandardSchema } from "./core/schema.ts"

export type {
  DeclaredEvent,
  EventDeclarations,
  EventPublisher,
  EventSchemas,
  PublisherOf,
} from "./core/events/declared-events.ts"

// Registering them
export {
  createHandlerRegistry,
  type HandlerRegistry,
  type HandlerRegistryOptions,
  type HandlerRegistryStats,
  type RegisteredWorkflow,
} from "./registry/handler-registry.ts"
export type { RegisterOptions, RegistryStats, UnregisterOptions } from "./registry/registry.ts"
export type { PluginRegistry, PluginRegistryStats } from "./registry/plugin-registry.ts"
export type { SubscriberRegistry, SubscriberRegistryStats } from "./registry/subscriber-registry.ts"
export type { DiscoveryFolders } from "./registry/create-registries.ts"
export type { DiscoverOptions, Discovery } from "./registry/discovery/discover-folder.ts"
export type { DiscoverWorkflowsOptions } from "./registry/discovery/discover-workflows.ts"
export type { DiscoveredEntry, DiscoveryFailure, RegistryChange } from "./registry/registry-change.ts"
export type { InputProblem } from "./registry/schema-mismatch.ts"

// Exporting what is known
export type {
  ExportRequest,
  ExportTarget,
  FormatOptions,
  HistoryExport,
  MetricsExport,
  StepsExport,
  TasksExport,
} from "./client/exports/export-request.ts"
export type { MetricFamily, MetricSample, MetricsSource } from "./client/exports/metrics-source.ts"
export type { CsvOptions } from "./core/exporters/csv-exporter.ts"
export type { FieldChoice } from "./core/exporters/columns.ts"
export type { JsonOptions } from "./core/exporters/json-exporter.ts"
export type { JsonLinesOptions } from "./core/exporters/json-lines-exporter.ts"
export type { PrometheusOptions } from "./core/exporters/prometheus-exporter.ts"
export type {
  Exporter,
  ExportContext,
  ExportRecord,
  ExportSubject,
  ExportSummary,
  MetricType,
  SampleRecord,
  StepRecord,
  TaskRecord,
  TransitionRecord,
} from "./core/exporter.ts"

// Checking options, for plugins
export { flagRule, integerRule, type OptionRule } from "./core/option-rules.ts"
export { checkOptions, type OptionRules } from "./core/check-options.ts"

// Calling HTTP services from a step
export { apiStep, type ApiStepOptions } from "./http/api-step.ts"
export { callApi } from "./http/call-api.ts"
export type { ApiOptions, ApiRequest, ApiResponse } from "./http/api-call.ts"

// Events
export type { EventSubscriptionOptions, Events } from "./events/events.ts"
export type { SubscriberStats } from "./events/event-bus.ts"
export type { EventDeclarer, EventDescription } from "./core/events/describe-events.ts"
export { type EventSearch, searchEvents } from "./core/events/search-events.ts"
export { formatCatalogue } from "./core/events/format-catalogue.ts"
export { loadSubscriptions } from "./registry/subscription-files/load-subscriptions.ts"
export {
  parseSubscriptions,
  type SubscriptionContext,
  type SubscriptionHandlers,
  type SubscriptionText,
} from "./registry/subscription-files/parse-subscriptions.ts"
export { subscriptionFileSchema } from "./registry/subscription-files/subscription-file-schema.ts"
export { EVENT_CATALOGUE, type EventEntry } from "./core/events/catalogue.ts"
export type {
  CustomEvent,
  CustomEventName,
  CustomEvents,
  EngineEvent,
  EventName,
  EventNamed,
  EventPayloads,
  EventsMatching,
  TaskerEvent,
  UntypedEvent,
} from "./core/events/event-map.ts"
export { defineSubscriber } from "./registry/define-subscriber.ts"
export type { EventHandler, Subscriber, SubscriberDefinition } from "./core/events/subscriber.ts"
export type { FeedEvent, FeedStart } from "./events/feed-reader.ts"
export type { Feed, FollowOptions } from "./events/follow.ts"
export type { DurableHandler, EventContext } from "./events/handle-event.ts"
export type { SubscribeOptions, Subscription } from "./events/subscribe.ts"
export type { Subscriptions, SubscriptionStatus } from "./events/subscriptions.ts"
export type { SkippedEvent } from "./store/subscriptions/list-skipped-events.ts"

// Errors
export {
  ERROR_CODES,
  type ErrorCode,
  isPermanentError,
  isRetryableError,
  isTaskerError,
  PermanentError,
  type PermanentErrorOptions,
  RetryableError,
  type RetryableErrorOptions,
  TaskerError,
  type TaskerErrorOptions,
} from "./core/error.ts"
export type { Problem } from "./core/problem.ts"

// Tasks, and what is known of them
export type { Client } from "./client/client.ts"
export type { CallerTransaction } from "./client/caller-transaction.ts"
export type { CreateTaskOptions } from "./client/create-task.ts"
export type { CreateTasksOptions, TaskRequest } from "./client/create-tasks.ts"
export type { IdentityScope, TaskIdentity } from "./client/identity-key.ts"
export type { TaskHandle, TaskReference } from "./client/task-reference.ts"
export type { TaskOptions } from "./client/task-request.ts"
export type { TaskResult, WaitOptions } from "./client/wait-for-task.ts"
export type { Change } from "./client/act.ts"
export type { StepResolutionOptions } from "./client/operate-steps.ts"
export type { OperatorNote } from "./store/operator.ts"
export type { ListTasksFilter, TasksPage } from "./client/list-tasks.ts"
export type { ListWorkersFilter, QueueMeasureOptions } from "./client/list-fleet.ts"
export type { BlockedBy, Step, StoredError, Task, TaskSummary, Transition } from "./store/task.ts"
export type {
  ExecutionContext,
  ExecutionStatus,
  HealthStatus,
  RecommendedAction,
} from "./store/task-execution-contexts.ts"
export type { Queue } from "./store/list-queues.ts"
export type { QueueMeasure } from "./store/measure-queues.ts"
export type { WorkerDetails } from "./store/list-workers.ts"
export type { Violation } from "./store/verify.ts"
export {
  STEP_STATES,
  STEP_TRANSITIONS,
  type StepState,
  TASK_STATES,
  TASK_TRANSITIONS,
  type TaskState,
} from "./core/state.ts"

// Counting and measuring
export type {
  CountFilter,
  StateCounts,
  StepCounts,
  TaskCounts,
  WorkflowStepCounts,
  WorkflowTaskCounts,
} from "./client/count-states.ts"
export type { SlowestFilter } from "./client/measure-durations.ts"
export type { MeasuredPeriodFilter, MeasuringLimit, PeriodFilter } from "./client/period.ts"
export type { RatesFilter, TaskRates } from "./client/task-rates.ts"
export type { BottleneckFilter, Bottlenecks, Histogram, SharedErrorPattern } from "./client/analytics/bottlenecks.ts"
export type { Finding, FindingThresholds } from "./client/analytics/findings.ts"
export type {
  PerformanceFilter,
  PerformancePeriod,
  PeriodPerformance,
  StepPerformance,
  TaskPerformance,
} from "./client/analytics/performance.ts"
export type { Measured, SampleOptions } from "./client/analytics/sample.ts"
export type { BlockingDependency, StepTimings } from "./store/analytics/attempt-analysis.ts"
export type { DurationPercentiles } from "./store/analytics/duration-percentiles.ts"
export type { SlowStep } from "./store/analytics/slowest-steps.ts"
export type { SlowTask } from "./store/analytics/slowest-tasks.ts"
export type { DurationSummary } from "./store/analytics/duration-summary.ts"
export type { RetriedStep } from "./store/analytics/retried-steps.ts"
export type { ErrorPattern } from "./store/analytics/step-errors.ts"

// Graphs of workflows and of tasks
export {
  type GraphEdge,
  workflowGraph,
  type WorkflowGraph,
  type WorkflowGraphNode,
} from "./core/graph/workflow-graph.ts"
export type { AnalyzeTaskOptions } from "./client/analytics/analyze-task.ts"
export type { CriticalPath, CriticalStep } from "./core/graph/critical-path.ts"
export type { ErrorChain, ErrorChains, OperatorAction } from "./core/graph/error-chains.ts"
export type { Parallelism } from "./core/graph/parallelism.ts"
export type { Bottleneck } from "./core/graph/task-bottlenecks.ts"
export type { TaskAnalysis, TaskGraphNode, TaskLevel } from "./core/graph/task-analysis.ts"
export type { StepTimes } from "./core/graph/timeline.ts"

// Health
export type { Health, Liveness } from "./client/health/health.ts"
export type { DatabaseCheck, HealthCheck, Readiness, ReadyOptions, WorkersCheck } from "./client/health/ready.ts"
export type { StatusOptions } from "./client/health/status.ts"
export type {
  DatabaseStatus,
  OldTransaction,
  QueueStatus,
  RecentStatus,
  StatusReason,
  StatusThresholds,
  SystemStatus,
} from "./client/health/system-status.ts"
export type { PoolUse } from "./core/database.ts"
export type { WorkerVitals } from "./core/worker-vitals.ts"
export type { WorkerCounts } from "./store/analytics/count-workers.ts"
export type { OldestReadyStep } from "./store/analytics/oldest-ready-steps.ts"
