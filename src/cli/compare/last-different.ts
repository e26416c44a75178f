import type { Control } from '../../control/control.ts';
import { parseJobId } from '../../control/jobs.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { CompareDocument } from '../../operations/compare/compare-document.ts';

type Asked = Pick<Control, 'jobs' | 'job' | 'status'>;

/**
 * The tables, by their names at the source, in which the last compare has found differences. One that has found none may have been of other tables:
 * then those of the compare that the status tells of, as TL-4308 does.
 */
export async function lastDifferent(control: Asked, route: string): Promise<readonly string[]> {
  const { jobs } = await control.jobs({ route, limit: 1000 });
  const last = jobs.find(({ kind, state }) => kind === 'compare' && state === 'done');
  if (last === undefined) throw fail(configErrors.arguments, { why: `route ${route} has no compare that is done` });
  const found = await differentIn(control, last.id);
  if (found.length > 0) return found;
  const known = (await control.status([route])).routes.find(({ name }) => name === route)?.compared?.job ?? last.id;
  const before = known === last.id ? [] : await differentIn(control, known);
  if (before.length > 0) return before;
  throw fail(configErrors.arguments, { why: `the compare ${last.id} has found no differences` });
}

async function differentIn(control: Asked, id: string): Promise<readonly string[]> {
  const { result } = await control.job(parseJobId(id), { values: false });
  const { tables } = result as unknown as Pick<CompareDocument, 'tables'>;
  return tables.flatMap(({ name, missing, extra, different }) => (missing + extra + different > 0 ? [name] : []));
}
