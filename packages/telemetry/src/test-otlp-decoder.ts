// Reads what an OTLP exporter sends, by the field numbers of opentelemetry-proto 1.x: with code that is not the exporter's.

/** A span as it arrived. */
export interface ReceivedSpan {
  readonly resource: ReceivedAttributes
  readonly scope: string
  readonly traceId: string
  readonly spanId: string
  /** Empty for a root. */
  readonly parentSpanId: string
  readonly name: string
  readonly kind: SpanKindName
  readonly startNs: bigint
  readonly endNs: bigint
  readonly attributes: ReceivedAttributes
  readonly events: readonly ReceivedEvent[]
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status: { readonly code: "unset" | "ok" | "error"; readonly message: string }
  /** Attributes, events and links that the SDK dropped. */
  readonly droppedCount: number
}

export interface ReceivedEvent {
  readonly name: string
  readonly timeNs: bigint
  readonly attributes: ReceivedAttributes
}

/** Integers as `bigint`, so that a test sees what was sent as which. */
export type ReceivedAttributes = Readonly<Record<string, string | boolean | bigint | number | unknown[]>>

const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const
export type SpanKindName = (typeof KINDS)[number]

const STATUS_CODES = ["unset", "ok", "error"] as const

/** Reads the body of an export request. */
export function decodeTraces(body: Uint8Array): readonly ReceivedSpan[] {
  return messages(readFields(body), 1).flatMap((resourceSpans) => {
    const [resource = NOTHING] = messages(resourceSpans, 1)
    return messages(resourceSpans, 2).flatMap((scopeSpans) => {
      const [scope = NOTHING] = messages(scopeSpans, 1)
      return messages(scopeSpans, 2).map((span) => decodeSpan(span, attributes(resource, 1), text(scope, 1)))
    })
  })
}

function decodeSpan(span: Fields, resource: ReceivedAttributes, scope: string): ReceivedSpan {
  const [status = NOTHING] = messages(span, 15)
  return {
    resource,
    scope,
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentSpanId: hex(span, 4),
    name: text(span, 5),
    kind: KINDS[Number(integer(span, 6))] ?? "unspecified",
    startNs: integer(span, 7),
    endNs: integer(span, 8),
    attributes: attributes(span, 9),
    events: messages(span, 11).map((event) => ({
      timeNs: integer(event, 1),
      name: text(event, 2),
      attributes: attributes(event, 3),
    })),
    links: messages(span, 13).map((link) => ({ traceId: hex(link, 1), spanId: hex(link, 2) })),
    status: { message: text(status, 2), code: STATUS_CODES[Number(integer(status, 3))] ?? "unset" },
    droppedCount: Number(integer(span, 10) + integer(span, 12) + integer(span, 14)),
  }
}

function attributes(fields: Fields, number: number): ReceivedAttributes {
  return Object.fromEntries(
    messages(fields, number).map((pair) => [text(pair, 1), value(messages(pair, 2)[0] ?? NOTHING)]),
  )
}

function value(fields: Fields): string | boolean | bigint | number | unknown[] {
  if (fields.has(1)) return text(fields, 1)
  if (fields.has(2)) return integer(fields, 2) === 1n
  if (fields.has(3)) return BigInt.asIntN(64, integer(fields, 3))
  if (fields.has(4)) return double(fields, 4)
  const [list = NOTHING] = messages(fields, 5)
  return messages(list, 1).map(value)
}

/** The fields of a message: numbers as `bigint`, all else as bytes. */
type Fields = ReadonlyMap<number, readonly (bigint | Uint8Array)[]>

const NOTHING: Fields = new Map()

function readFields(bytes: Uint8Array): Fields {
  const fields = new Map<number, (bigint | Uint8Array)[]>()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0

  function varint(): bigint {
    let result = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++)
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return result
    }
  }

  function field(wireType: number): bigint | Uint8Array {
    if (wireType === 0) return varint()
    const length = wireType === 1 ? 8 : wireType === 5 ? 4 : Number(varint())
    at += length
    if (wireType === 1) return view.getBigUint64(at - 8, true)
    if (wireType === 5) return BigInt(view.getUint32(at - 4, true))
    if (wireType !== 2) throw new Error(`expected a wire type of protobuf, got ${wireType}`)
    return bytes.subarray(at - length, at)
  }

  while (at < bytes.length) {
    const tag = Number(varint())
    const number = tag >> 3
    const values = fields.get(number) ?? []
    fields.set(number, values)
    values.push(field(tag & 7))
  }
  return fields
}

function messages(fields: Fields, number: number): readonly Fields[] {
  return (fields.get(number) ?? []).map((bytes) => readFields(asBytes(bytes)))
}

function text(fields: Fields, number: number): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(asBytes(fields.get(number)?.at(-1) ?? new Uint8Array()))
}

function hex(fields: Fields, number: number): string {
  return Buffer.from(asBytes(fields.get(number)?.at(-1) ?? new Uint8Array())).toString("hex")
}

function integer(fields: Fields, number: number): bigint {
  const found = fields.get(number)?.at(-1) ?? 0n
  if (typeof found !== "bigint") throw new Error(`expected field ${number} to be a number`)
  return found
}

function double(fields: Fields, number: number): number {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setBigUint64(0, integer(fields, number))
  return bits.getFloat64(0)
}

function asBytes(found: bigint | Uint8Array): Uint8Array {
  if (typeof found === "bigint") throw new Error("expected bytes, got a number")
  return found
}
