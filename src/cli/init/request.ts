import type { Template } from './template.ts';
import type { InitNode } from './written-node.ts';

/** Everything that `init` needs to know, whether it was asked or given by options. */
export interface InitRequest {
  readonly template: Template;
  readonly deployment: string;
  readonly source: InitNode;
  readonly targets: readonly InitNode[];
  readonly tables: readonly string[];
  readonly exclude: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  /** Whom Tidelock is to run as, where that is not who looks now. */
  readonly user: string | null;
}
