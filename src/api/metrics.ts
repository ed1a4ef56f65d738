// Metrics of HTTP requests, for /metrics.

import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'

export interface HttpMetrics {
  observe(face: string, method: string, route: string, status: number, seconds: number): void
}

export interface Metrics extends HttpMetrics {
  readonly registry: Registry
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const durations = new Histogram({
    name: 'atoll_http_request_duration_seconds',
    help: 'Time to answer a request, by face, method, route and status',
    labelNames: ['face', 'method', 'route', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })
  return {
    registry,
    observe: (face, method, route, status, seconds) =>
      durations.observe({ face, method, route, status: String(status) }, seconds),
  }
}
