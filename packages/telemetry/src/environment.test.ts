import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TLSSocket } from "node:tls"
import { trace } from "@opentelemetry/api"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { startTelemetry, type TelemetryOptions } from "./start-telemetry.ts"
import { type OtlpReceiver, startOtlpReceiver } from "./test-otlp-receiver.ts"

// What docs/guides/tracing.md says of environment variables.

let receiver: OtlpReceiver

beforeEach(async () => {
  receiver = await startOtlpReceiver()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await receiver.close()
})

/** Records spans under an environment, and sends them. */
async function run(
  environment: Readonly<Record<string, string>>,
  { otlp, ...options }: Partial<TelemetryOptions> = {},
  record: () => void = () => trace.getTracer("test").startSpan("span").end(),
): Promise<void> {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  const telemetry = startTelemetry({ serviceName: "shop", ...options, otlp: { url: receiver.url, ...otlp } })
  record()
  await telemetry.shutdown()
}

describe("what the SDK reads for lack of an option", () => {
  test("headers are added to those of the option, which win", async () => {
    await run(
      {
        OTEL_EXPORTER_OTLP_HEADERS: "x-key=environment,x-team=shop",
        OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-kind=traces",
      },
      { otlp: { headers: { "x-key": "option" } } },
    )
    expect(receiver.requests[0]?.headers).toMatchObject({ "x-key": "option", "x-team": "shop", "x-kind": "traces" })
  })

  test.each(["OTEL_EXPORTER_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION"])("%s", async (name) => {
    await run({ [name]: "gzip" })
    expect(receiver.requests[0]?.headers["content-encoding"]).toBe("gzip")
    expect(receiver.spans).toHaveLength(1)
  })

  test("certificates: whom to trust, and who we are", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tasker-certificates-"))
    const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")]
    await Promise.all([writeFile(certificate, CERTIFICATE), writeFile(key, KEY)])
    const clients: unknown[] = []
    const tls = { cert: CERTIFICATE, key: KEY, ca: CERTIFICATE, requestCert: true }
    const server = createServer(tls, (request, response) => {
      // A server of https has sockets of TLS.
      clients.push((request.socket as TLSSocket).authorized)
      request.resume()
      response.end()
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    // It listens on a port.
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    await run(
      {
        OTEL_EXPORTER_OTLP_CERTIFICATE: certificate,
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: certificate,
        OTEL_EXPORTER_OTLP_CLIENT_KEY: key,
      },
      { otlp: { url } },
    )
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
    expect(clients).toEqual([true])
  })

  test.each([
    ["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", { attributes: 1 }],
    ["OTEL_ATTRIBUTE_COUNT_LIMIT", { attributes: 1 }],
    ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", { text: "l" }],
    ["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", { text: "l" }],
    ["OTEL_SPAN_EVENT_COUNT_LIMIT", { events: 1 }],
    ["OTEL_SPAN_LINK_COUNT_LIMIT", { links: 1 }],
  ])("%s=1", async (name, changed) => {
    await run({ [name]: "1" }, {}, () => {
      const span = trace.getTracer("test").startSpan("span", { attributes: { text: "long", more: "l" } })
      for (let time = 0; time < 2; time++) span.addEvent("happened").addLink({ context: span.spanContext() })
      span.end()
    })
    const [span] = receiver.spans
    const found = {
      attributes: Object.keys(span?.attributes ?? {}).length,
      text: span?.attributes["text"],
      events: span?.events.length,
      links: span?.links.length,
    }
    expect(found).toEqual({ attributes: 2, text: "long", events: 2, links: 2, ...changed })
  })
})

test("what has an option, or a default that the docs give, is not read", async () => {
  await run(
    {
      OTEL_SDK_DISABLED: "true",
      OTEL_SERVICE_NAME: "environment",
      OTEL_RESOURCE_ATTRIBUTES: "team=environment",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://127.0.0.1:9",
      OTEL_EXPORTER_OTLP_TIMEOUT: "1",
      OTEL_TRACES_EXPORTER: "none",
      OTEL_TRACES_SAMPLER: "always_off",
      OTEL_PROPAGATORS: "none",
      OTEL_BSP_MAX_QUEUE_SIZE: "1",
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "1",
    },
    {},
    () => {
      for (let index = 0; index < 3; index++) trace.getTracer("test").startSpan(`span ${index}`).end()
    },
  )
  expect(receiver.requests).toHaveLength(1)
  expect(receiver.spans).toHaveLength(3)
  expect(receiver.spans[0]?.resource).toMatchObject({ "service.name": "shop" })
  expect(receiver.spans[0]?.resource).not.toHaveProperty("team")
})

// Made for this test by `openssl ca -selfsign`: a certificate of 127.0.0.1 that trusts itself, from 2020 to 2120.
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBZjCCAQygAwIBAgIBATAKBggqhkjOPQQDAjAZMRcwFQYDVQQDDA50ZXN0IG9m
IHRhc2tlcjAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowGTEXMBUG
A1UEAwwOdGVzdCBvZiB0YXNrZXIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQz
dGYSupwCSWeuycdMgorlKjpypXugpRtYaGn2Cb3UAPPvN4746gGM/gJHoMFBS4Ba
RupnxtkXKjuMFAQ2bOi1o0MwQTAPBgNVHRMBAf8EBTADAQH/MA8GA1UdEQQIMAaH
BH8AAAEwHQYDVR0OBBYEFFdDzgPZuDP0XCdsZwvgh5qnYd9fMAoGCCqGSM49BAMC
A0gAMEUCIHWBtP+6BVvx0uEe7gpE0Q+u9bkIvWjt2CR8wL94s3ayAiEAouSxIMa3
xVHV3+dYTZLx8+cUaGRnKWBligq2R9529BU=
-----END CERTIFICATE-----
`
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnlwIiKquhdjUjmkf
WKwahX8uqLcf4F/XrIWa2ClXiU2hRANCAAQzdGYSupwCSWeuycdMgorlKjpypXug
pRtYaGn2Cb3UAPPvN4746gGM/gJHoMFBS4BaRupnxtkXKjuMFAQ2bOi1
-----END PRIVATE KEY-----
`
