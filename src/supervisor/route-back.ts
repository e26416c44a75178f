import type { Connector } from '../core/connector.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/pause.ts';
import type { NodeType, RouteDefinition } from '../core/route.ts';
import type { OtherWay } from '../operations/compare/other-way.ts';
import { openTarget } from '../pipeline/bridge/bridged-target.ts';

export interface RouteBackOptions {
  /** Carries rows to `other`'s source. */
  readonly route: string;
  readonly other: RouteDefinition;
  readonly connectors: (type: NodeType) => Connector;
  readonly logger: Logger;
}

const pollMs = 50;
const longestMs = 60_000;

/** The route back, of which only what it has stored at its target is known here: another engine may run it. */
export function routeBackOf({ route, other, connectors, logger }: RouteBackOptions): OtherWay {
  return {
    route: other.name,
    async arrived(signal) {
      const source = connectors(other.from.type).source({ route: other, logger });
      const target = openTarget(connectors, { route: other, logger, order: source.order });
      const rests = (why: string): never => {
        throw fail(routeErrors.otherWayRests, { route, other: other.name, why });
      };
      try {
        const mark = await source.mark();
        const store = await target.state();
        try {
          for (const untilMs = performance.now() + longestMs; ; ) {
            const stored = await store.read();
            if (stored === null) return rests('it was never started');
            // It was committed before the call, and is not there.
            if (stored.parked.count > 0) rests(`${stored.parked.count} transactions are parked`);
            const { checkpoint } = stored;
            if (checkpoint?.phase === 'ready' && source.order.covers(checkpoint.position, mark)) return;
            if (stored.wanted.state !== 'running') rests(`it is ${stored.wanted.state}`);
            if (performance.now() > untilMs) rests(`nothing has come for ${longestMs / 1000} s`);
            await pause(pollMs, signal);
            signal.throwIfAborted();
          }
        } finally {
          await store.close();
        }
      } finally {
        await source.close().catch(() => {});
        await target.close().catch(() => {});
      }
    },
  };
}
