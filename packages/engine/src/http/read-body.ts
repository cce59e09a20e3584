/** Says that a body was larger than it may be. */
export const TOO_LARGE = Symbol("too large")

/**
 * Reads a body as text, but no more of it than asked for.
 *
 * @returns {@link TOO_LARGE} when there was more; the rest is not read
 */
export async function readBody(response: Response, maxBytes: number): Promise<string | typeof TOO_LARGE> {
  if (Number(response.headers.get("content-length")) > maxBytes && !response.headers.has("content-encoding")) {
    await response.body?.cancel()
    return TOO_LARGE
  }
  const { text, isWhole } = await readStart(response, maxBytes)
  return isWhole ? text : TOO_LARGE
}

/** Reads the first bytes of a body as text. What follows is not read. */
export async function readStart(response: Response, maxBytes: number): Promise<{ text: string; isWhole: boolean }> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  // The stream gives bytes; its type in @types/node says any.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    bytes += chunk.length
    // Leaving the loop cancels the stream, and with it the connection.
    if (bytes > maxBytes) break
  }
  const buffer = Buffer.concat(chunks).subarray(0, maxBytes)
  // As Response.text() does, this drops a byte order mark, which JSON.parse does not take.
  return { text: new TextDecoder().decode(buffer), isWhole: bytes <= maxBytes }
}
