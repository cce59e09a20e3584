/**
 * What a list is looked up by, made anew when it is read after the list changed.
 *
 * @param list - gives the same list for as long as nothing changes
 */
export function createIndex<Entry, Index>(
  list: () => readonly Entry[],
  build: (entries: readonly Entry[]) => Index,
): () => Index {
  let indexed = list()
  let index = build(indexed)
  return () => {
    const current = list()
    if (current !== indexed) [indexed, index] = [current, build(current)]
    return index
  }
}
