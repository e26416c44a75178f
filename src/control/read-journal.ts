import type { Configuration } from '../config/configuration.ts';
import type { JournalledAction } from '../core/action.ts';
import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import type { Reason } from '../core/route-status.ts';
import type { RouteReader } from './route-readings.ts';

export interface JournalOptions {
  /** The whole deployment where it is left out. */
  readonly route?: string;
  /** Only what was done before: `before` of an earlier answer. */
  readonly before: string | null;
  readonly limit: number;
}

/** `journal --json`: what operators have done, the newest first. */
export interface JournalDocument {
  readonly version: 1;
  readonly journal: readonly JournalledAction[];
  /** To ask for what was done before these; null where there is nothing more. */
  readonly before: string | null;
  /** Targets that could not be asked. */
  readonly missing: readonly { readonly node: string; readonly reason: Reason }[];
}

const timePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$/;

/** Each target has its own: that of the whole deployment is put together of one of each. */
export async function readJournal(
  configuration: Configuration,
  { route, before, limit }: JournalOptions,
  reader: RouteReader,
): Promise<JournalDocument> {
  if (before !== null && (!timePattern.test(before) || Number.isNaN(Date.parse(before)))) {
    throw fail(configErrors.arguments, { why: `a time as the journal writes it is wanted, not "${before}"` });
  }
  const definitions =
    route === undefined ? [...configuration.routes.values()] : [configuration.routes.demand(route, 'route')];
  const targets = new Map(definitions.map((definition) => [definition.to.name, definition]));
  const missing: { node: string; reason: Reason }[] = [];
  const pages = await Promise.all(
    [...targets].map(async ([node, definition]) => {
      try {
        const page = { deployment: route === undefined, before, limit };
        return await reader.store(definition, (store) => store.actions.read(page));
      } catch (error) {
        if (!(error instanceof TidelockError) || route !== undefined) throw error;
        missing.push({ node, reason: { code: error.code, message: error.message, remedy: error.remedy } });
        return [];
      }
    }),
  );
  const all = pages.flat().sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : b.id - a.id));
  const last = all[limit - 1];
  // All of one instant are on one page: `before` leaves none out.
  const entries = last === undefined ? all : all.filter(({ at }) => at >= last.at);
  const isMore = entries.length < all.length || pages.some((page) => page.length >= limit);
  return { version: 1, journal: entries, before: isMore ? (entries.at(-1)?.at ?? null) : null, missing };
}
