/** What a template is told: everything that was answered, and nothing about how it was asked. */
export interface TemplatePlan {
  readonly source: string;
  readonly targets: readonly string[];
  /** Globs and names, as they are written under `tables`. */
  readonly tables: readonly string[];
  /** Of the template's own settings. */
  readonly settings: Readonly<Record<string, string>>;
}

export type TableEntry = string | { readonly name: string; readonly [key: string]: unknown };

export interface PlannedRoute {
  readonly from: string;
  readonly to: string;
  readonly tables: readonly TableEntry[];
  /** Further keys of the route, each with what to say about it. */
  readonly keys?: Readonly<Record<string, { readonly value: unknown; readonly comment: string }>>;
}

export interface TemplateSetting {
  readonly name: string;
  readonly question: string;
  readonly standard: string;
  /** Null where the answer will do. */
  problem(value: string): string | null;
}

/**
 * A way in which databases are joined: one file in templates/, listed in templates.ts. It makes routes of the answers;
 * what `init` asks, looks up, writes and prints is the same for all.
 */
export interface Template {
  readonly name: string;
  /** One line, for the list to choose from. */
  readonly summary: string;
  readonly targets: 'one' | 'several';
  readonly settings: readonly TemplateSetting[];
  routes(plan: TemplatePlan): readonly PlannedRoute[];
  /** What a person has to know or do for it, beyond what `check` finds. */
  notes(plan: TemplatePlan): readonly string[];
}
