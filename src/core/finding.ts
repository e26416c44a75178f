/** One result of a preflight. An error keeps the route from starting. */
export interface Finding {
  readonly level: 'error' | 'warning' | 'info';
  readonly code: string;
  readonly node: string;
  readonly table?: string;
  /** Where `table` is a partition: the table that it belongs to. */
  readonly whole?: string;
  /** Labels of tables that a publication does not have, or not whole. */
  readonly unpublished?: readonly string[];
  readonly message: string;
  readonly remedy: string;
  /** The statement that mends it, where there is one. Tidelock prints it and never runs it. */
  readonly statement?: string;
}
