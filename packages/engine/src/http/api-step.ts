import type { StepContext, StepHandler } from "../core/workflow.ts"
import type { ApiOptions, ApiRequest, ApiResponse } from "./api-call.ts"
import { callApi } from "./call-api.ts"

/** A step that is one HTTP call. */
export interface ApiStepOptions<Input, Results, Result, Config, Body> extends Omit<ApiOptions<Body>, "baseUrl"> {
  /** What `url` is below: a URL, or where the step's `config` says. */
  readonly baseUrl?: string | URL | ((context: StepContext<Input, Results, Config>) => string | URL) | undefined
  /** What to ask for. Called once per attempt. */
  readonly request: (context: StepContext<Input, Results, Config>) => ApiRequest | Promise<ApiRequest>
  /** What to store of the answer, and to give to the steps that depend on this one. */
  readonly result: (
    response: ApiResponse<Body>,
    context: StepContext<Input, Results, Config>,
  ) => Result | Promise<Result>
}

/**
 * Makes the handler of a step that is one HTTP call. It states what it needs, in the type of the handler or in that of
 * `request`'s parameter; inside `.step(…)`, where both are inferred, {@link callApi} is as short.
 *
 * The call has the step's timeout and signal. It fails as {@link callApi} says: what may pass is retried, at the time
 * that a server's `Retry-After` asks for; what will not change is permanent.
 *
 * @example
 * ```ts
 * const loadCart: StepHandler<OrderInput, {}, Cart, ShopConfig> = apiStep({
 *   baseUrl: ({ config }) => config.shopUrl,
 *   request: ({ input }) => ({ url: `/carts/${input.cartId}` }),
 *   responseSchema: cartSchema,
 *   result: ({ body }) => body,
 * })
 * ```
 */
export function apiStep<Input, Results, Result, Config = unknown, Body = unknown>(
  options: ApiStepOptions<Input, Results, Result, Config, Body>,
): StepHandler<Input, Results, Result, Config> {
  const { baseUrl, request, result, ...callOptions } = options
  return async (context) => {
    const base = typeof baseUrl === "function" ? baseUrl(context) : baseUrl
    const response = await callApi(context, { ...callOptions, baseUrl: base, ...(await request(context)) })
    return result(response, context)
  }
}
