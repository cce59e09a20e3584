import { MASK } from "../core/redact.ts"
import type { ApiRequest } from "./api-call.ts"

/** Headers whose values say nothing that anybody would hide. */
const PUBLIC_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "content-language",
  "content-type",
  "idempotency-key",
  "prefer",
  "user-agent",
])

/** Shorter ones are not looked for: hiding every `1` of a page helps nobody. */
const MIN_SECRET_LENGTH = 6

export function isPublicHeader(name: string): boolean {
  return PUBLIC_HEADERS.has(name.toLowerCase())
}

/**
 * What a server could repeat in an error page and nobody may read there: the values of headers and of the query,
 * and the parts of an authorization.
 */
export function secretsIn(request: ApiRequest, url: URL): readonly string[] {
  const headers = Object.entries(request.headers ?? {}).filter(([name]) => !isPublicHeader(name))
  const found = headers.flatMap(([, value]) => [value, ...value.split(/[\s;,]+/), ...basicCredentials(value)])
  const query = [...url.searchParams.values()]
  const encoded = query.map(encodeURIComponent)
  return [...new Set([...found, ...query, ...encoded])]
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .toSorted((a, b) => b.length - a.length)
}

/** `text` with each secret replaced. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((hidden, secret) => hidden.replaceAll(secret, MASK), text)
}

function basicCredentials(header: string): readonly string[] {
  const encoded = /^basic\s+(\S+)$/i.exec(header.trim())?.[1]
  if (encoded === undefined) return []
  const pair = Buffer.from(encoded, "base64").toString()
  return [pair, pair.slice(pair.indexOf(":") + 1)]
}
