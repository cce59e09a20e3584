import { checkOptions, integerRule, type OptionRule, type OptionRules } from "@tasker/engine"

export const DEFAULT_OTLP_URL = "http://localhost:4318"

const textRule: OptionRule = {
  rule: "text that is not empty",
  accepts: (value) => typeof value === "string" && value !== "",
}

const objectRule: OptionRule = {
  rule: "an object",
  accepts: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
}

const timeRule = integerRule(1, 3_600_000)

const TELEMETRY_RULES: OptionRules = {
  serviceName: textRule,
  serviceVersion: textRule,
  resource: recordRule(["string", "number", "boolean"]),
  otlp: objectRule,
  sampling: objectRule,
  batch: objectRule,
  logger: { rule: "an object with debug, info, warn and error", accepts: isLogger },
}

const OTLP_RULES: OptionRules = {
  url: { rule: "a URL of http or https", accepts: isHttpUrl },
  headers: recordRule(["string"]),
  timeoutMs: timeRule,
}

const SAMPLING_RULES: OptionRules = {
  ratio: { rule: "a number from 0 to 1", accepts: (value) => typeof value === "number" && value >= 0 && value <= 1 },
  maxTracesPerSecond: {
    rule: "an integer from 1 to 1000000, or null",
    accepts: (value) => value === null || integerRule(1, 1_000_000).accepts(value),
  },
}

const FLUSH_RULES: OptionRules = { timeoutMs: timeRule }

/**
 * @throws TaskerError `TASKER_CONFIG_INVALID`
 */
export function checkTelemetryOptions(options: unknown): void {
  checkOptions("startTelemetry", options, TELEMETRY_RULES, "TASKER_CONFIG_INVALID")
  // Checked: an object; and its parts are objects where they are there.
  const { serviceName, otlp = {}, sampling = {}, batch = {} } = options as Readonly<Record<string, object | undefined>>
  // A rule lets undefined pass, for options that need not be given.
  if (serviceName === undefined)
    checkOptions("startTelemetry", { serviceName: null }, TELEMETRY_RULES, "TASKER_CONFIG_INVALID")
  checkOptions("startTelemetry's otlp", otlp, OTLP_RULES, "TASKER_CONFIG_INVALID")
  checkOptions("startTelemetry's sampling", sampling, SAMPLING_RULES, "TASKER_CONFIG_INVALID")
  checkOptions("startTelemetry's batch", batch, batchRules(batch), "TASKER_CONFIG_INVALID")
}

/**
 * @throws TaskerError `TASKER_OPTION_INVALID`
 */
export function checkFlushOptions(call: string, options: unknown): void {
  checkOptions(call, options, FLUSH_RULES, "TASKER_OPTION_INVALID")
}

function batchRules(batch: object): OptionRules {
  const maxSpans = "maxSpans" in batch && typeof batch.maxSpans === "number" ? batch.maxSpans : DEFAULT_BATCH_SPANS
  return {
    maxSpans: integerRule(1, 100_000),
    delayMs: timeRule,
    queueSize: integerRule(maxSpans, 10_000_000),
  }
}

export const DEFAULT_BATCH_SPANS = 512

function recordRule(types: readonly string[]): OptionRule {
  return {
    rule: `an object of ${types.join("s, ")}s`,
    accepts: (value) =>
      typeof value === "object" && value !== null && Object.values(value).every((each) => types.includes(typeof each)),
  }
}

function isHttpUrl(value: unknown): boolean {
  return typeof value === "string" && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
}

function isLogger(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false
  return ["debug", "info", "warn", "error"].every((method) => typeof Reflect.get(value, method) === "function")
}

/** Where traces go: what was given when it says so itself, else its path below the collector's root. */
export function tracesUrl(url: string): string {
  const parsed = new URL(url)
  if (!parsed.pathname.endsWith("/v1/traces")) parsed.pathname = `${parsed.pathname.replace(/\/+$/, "")}/v1/traces`
  return parsed.href
}
