/** What a filter asks for, given one value or several. No condition asks for nothing: an empty list is none. */
export function listOf<T extends string>(value: T | readonly T[] | undefined): readonly T[] | undefined {
  if (value === undefined) return undefined
  const list = typeof value === "string" ? [value] : value
  return list.length === 0 ? undefined : list
}
