import type { RouteMetricsDocument } from '../metrics/metrics-store.ts';

/** What the API tells of the process that it is part of, beside what Control tells of the deployment. */
export interface LiveService {
  readonly version: string;
  readonly startedAt: Date;
  process(): { readonly host: string; readonly pid: number };
  /** The deployment. */
  name(): string;
  nodes(): readonly ServiceNode[];
  /** `leading` where it has one route at least, `standby` where others have them all, `draining` when it was told to end. */
  state(): 'starting' | 'leading' | 'standby' | 'draining';
  /** Null where there is no such route here. */
  metrics(route: string): RouteMetricsDocument | null;
  /** Calls back when a worker of this process has reported. Returns a function that takes the listener off again. */
  onStatus(listener: () => void): () => void;
  /** A request was answered; `path` as the OpenAPI document has it. */
  counted(path: string, method: string, status: number): void;
}

export interface ServiceNode {
  readonly name: string;
  readonly type: string;
  readonly hosts: readonly string[];
  readonly database: string;
}
