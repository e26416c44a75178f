import type { Logger } from '../core/logger.ts';
import type { TracedWork } from '../core/work-meter.ts';

export interface TracingOptions {
  readonly deployment: string;
  readonly route: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
}

export interface Tracing {
  trace(work: TracedWork): void;
  /** Before the process ends: what is gathered is sent, if that does not take long. */
  flush(): Promise<void>;
}

const flushMs = 1_000;

/**
 * Spans of applied groups and of loads, by the OpenTelemetry SDK that the process was started with (docs/metrics.md).
 * Null where nobody has asked for them. The SDK is not ours: with an exporter it takes 25 MB of memory in each worker and ten
 * packages, where the interface to it is one that is there anyway.
 */
export async function openTracing({ deployment, route, env, logger }: TracingOptions): Promise<Tracing | null> {
  const isWanted = Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
  if (!isWanted || env.OTEL_SDK_DISABLED === 'true') return null;
  const { isSpanContextValid, ROOT_CONTEXT, trace } = await import('@opentelemetry/api');
  const tracer = trace.getTracer('tidelock');
  const probe = tracer.startSpan('tidelock start', {}, ROOT_CONTEXT);
  probe.end();
  // Also where a sampler leaves it out it has an id.
  if (!isSpanContextValid(probe.spanContext())) {
    logger.warn(
      {},
      'OTEL_EXPORTER_OTLP_ENDPOINT is set, and no OpenTelemetry SDK is loaded: see docs/metrics.md#traces',
    );
    return null;
  }
  return {
    trace: ({ kind, beganMs, endedMs, rows, transactions, tables, position, mode }) => {
      const attributes = {
        'tidelock.deployment': deployment,
        'tidelock.route': route,
        'tidelock.rows': rows,
        ...(transactions !== undefined && { 'tidelock.transactions': transactions }),
        ...(tables !== undefined && { 'tidelock.tables': tables }),
        ...(position !== null && { 'tidelock.position': position }),
        ...(mode !== undefined && { 'tidelock.mode': mode }),
      };
      tracer.startSpan(`tidelock ${kind}`, { startTime: beganMs, attributes }, ROOT_CONTEXT).end(endedMs);
    },
    flush: async () => {
      const provider = trace.getTracerProvider() as Flushable & { getDelegate?(): Flushable };
      const { promise, resolve } = Promise.withResolvers<void>();
      setTimeout(resolve, flushMs).unref();
      const flushed = (provider.getDelegate?.() ?? provider).forceFlush?.();
      await Promise.race([flushed, promise]).catch(() => {});
    },
  };
}

interface Flushable {
  forceFlush?(): Promise<void>;
}
