/**
 * A compile-time error that reads as a sentence. Put where a value was
 * expected, it makes the compiler print `Message`.
 */
export interface DagError<Message extends string> {
  readonly __dagError: Message
}

/** What JSON may hold at a leaf. `undefined` and `void` are stored as null. */
type JsonLeaf = string | number | boolean | null | undefined | void

/**
 * The first place in `T` that JSON cannot hold, as a sentence that starts with
 * its path; `never` when `T` survives a round trip through a jsonb column.
 * `any` and `unknown` pass: they claim nothing, so there is nothing to refute.
 */
type JsonProblem<T, Path extends string> = 0 extends 1 & T
  ? never
  : unknown extends T
    ? never
    : T extends JsonLeaf
      ? never
      : T extends bigint
        ? `${Path} is a bigint; return it as a string`
        : T extends symbol
          ? `${Path} is a symbol`
          : T extends (...args: never) => unknown
            ? `${Path} is a function`
            : T extends Date
              ? `${Path} is a Date; return it as an ISO 8601 string`
              : T extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
                ? `${Path} is a Map or a Set; return an object or an array`
                : T extends readonly (infer Item)[]
                  ? JsonProblem<Item, `${Path}[]`>
                  : { [K in keyof T & string]-?: JsonProblem<T[K], `${Path}.${K}`> }[keyof T & string]

/** `Result` itself, or the sentence that says why it cannot be stored. */
export type Storable<Result> = [JsonProblem<Result, "result">] extends [never]
  ? Result
  : DagError<`a step result is stored as JSON, but ${JsonProblem<Result, "result">}`>
