import { type Attributes, type Span, type SpanOptions, type TracerProvider, trace } from '@opentelemetry/api';
import { afterEach, expect, test } from 'vitest';
import { type Logger, silentLogger } from '../../src/core/logger.ts';
import type { TracedWork } from '../../src/core/work-meter.ts';
import { openTracing } from '../../src/metrics/open-telemetry.ts';

const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
const options = { deployment: 'prod', route: 'sales', env, logger: silentLogger };
const group: TracedWork = {
  kind: 'group',
  beganMs: 1_000,
  endedMs: 1_250,
  rows: 12,
  transactions: 3,
  position: '0/1A2B',
  mode: 'set',
};

interface Recorded {
  readonly name: string;
  readonly attributes: Attributes | undefined;
  readonly startTime: unknown;
  readonly endTime: unknown;
}

/** What an SDK is to its users. */
class RecordingProvider implements TracerProvider {
  readonly spans: Recorded[] = [];
  flushed = 0;

  getTracer() {
    const start = (name: string, { attributes, startTime }: SpanOptions = {}): Span => {
      const span = {
        spanContext: () => ({ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 }),
        end: (endTime: unknown) => this.spans.push({ name, attributes, startTime, endTime }),
      };
      return span as unknown as Span;
    };
    return { startSpan: start, startActiveSpan: () => undefined as never };
  }

  async forceFlush(): Promise<void> {
    this.flushed++;
  }
}

afterEach(() => trace.disable());

test('nothing is traced unless somebody has asked for it', async () => {
  trace.setGlobalTracerProvider(new RecordingProvider());
  expect(await openTracing({ ...options, env: {} })).toBeNull();
  expect(await openTracing({ ...options, env: { ...env, OTEL_SDK_DISABLED: 'true' } })).toBeNull();
});

test('a span for a group, with its figures and its times, and no values', async () => {
  const provider = new RecordingProvider();
  trace.setGlobalTracerProvider(provider);
  const tracing = await openTracing(options);
  tracing?.trace(group);
  tracing?.trace({ kind: 'load', beganMs: 1, endedMs: 2, rows: 100, tables: 4, position: '0/1' });
  const [, span, load] = provider.spans;
  expect(span).toEqual({
    name: 'tidelock group',
    startTime: 1_000,
    endTime: 1_250,
    attributes: {
      'tidelock.deployment': 'prod',
      'tidelock.route': 'sales',
      'tidelock.rows': 12,
      'tidelock.transactions': 3,
      'tidelock.position': '0/1A2B',
      'tidelock.mode': 'set',
    },
  });
  expect(load).toMatchObject({ name: 'tidelock load', attributes: { 'tidelock.tables': 4 } });
  await tracing?.flush();
  expect(provider.flushed).toBe(1);
});

test('an endpoint without an SDK is told, and costs nothing else', async () => {
  const said: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_, message) => said.push(message) };
  expect(await openTracing({ ...options, logger })).toBeNull();
  expect(said.join()).toContain('no OpenTelemetry SDK is loaded');
});
