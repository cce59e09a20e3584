// The public surface of @tasker/telemetry: every name, listed.
export {}
