import type { GivenTls } from './look-at.ts';
import type { Template } from './template.ts';

/** What options have told; the rest is asked, or has a standard. */
export interface Given {
  readonly template: Template | null;
  readonly deployment: string | null;
  readonly source: string | null;
  readonly targets: readonly string[];
  readonly tables: readonly string[];
  readonly exclude: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  readonly user: string | null;
  readonly tls: GivenTls | null;
}
