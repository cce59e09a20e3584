/**
 * The results that a step's handler sees: those of its direct dependencies,
 * frozen, on an object without a prototype, so that no step name can meet
 * something inherited.
 *
 * @param resultOf - the result of a dependency; `undefined` for one that was skipped
 */
export function stepResults(
  dependsOn: readonly string[],
  resultOf: (name: string) => unknown,
): Readonly<Record<string, unknown>> {
  // `Object.create` is typed any.
  const results = Object.create(null) as Record<string, unknown>
  for (const name of dependsOn) results[name] = resultOf(name)
  return Object.freeze(results)
}
