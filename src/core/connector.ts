import type { NodeInspector } from './node-inspector.ts';
import type { NodeDefinition, NodeType } from './route.ts';
import type { SharedState } from './route-state-store.ts';
import type { QueueWatch, Source, SourceOptions } from './source.ts';
import type { Target, TargetOptions } from './target.ts';
import type { VendorSchema } from './types/vendor-schema.ts';
import type { VendorTypes } from './types/vendor-types.ts';

/** One kind of database. src/registry.ts and, for workers, src/route-connectors.ts are the only importers of connectors. */
export interface Connector {
  readonly types: readonly NodeType[];
  /** Of its columns. */
  readonly values: VendorTypes;
  /** How its tables are written where their description comes from another vendor. */
  readonly words: VendorSchema;
  source(options: SourceOptions): Source;
  target(options: TargetOptions): Target;
  inspector(node: NodeDefinition): NodeInspector;
  /** Over one session of its own where the connector can. */
  sharedState(node: NodeDefinition): Promise<SharedState>;
  /** Over a session of its own, opened with the first look and kept; `everyMs`: how old an answer may be. */
  queueWatch(node: NodeDefinition, options: { readonly everyMs: number }): QueueWatch;
}
