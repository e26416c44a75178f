import { styleText } from 'node:util';
import type { GrantsDocument } from '../control/node-grants.ts';
import { sqlComment } from './sql-comment.ts';
import { wrapped } from './wrapped.ts';

export interface GrantsStyle {
  readonly place: string;
  readonly onlyMissing: boolean;
  readonly colours: boolean;
  /** Of the terminal; null where it is none. */
  readonly columns: number | null;
}

/** Statements to be run as they are printed, each below what it is for. One that would make a superuser of the user is a comment. */
export function grantsText(
  { user, grants, missing, leftOut }: GrantsDocument,
  { place, onlyMissing, colours, columns }: GrantsStyle,
): string {
  const dim = (line: string): string => (colours ? styleText('dim', line) : line);
  const unbroken = (text: string): string => sqlComment(text).map(dim).join('\n');
  // Each line a comment of its own: what a terminal breaks would be pasted as a statement.
  const comment = (text: string): string =>
    text
      .split(/\r\n|[\n\r]/)
      .flatMap((line) => wrapped(line, { indent: 0, columns: columns === null ? null : columns - 3 }))
      .map(unbroken)
      .join('\n');
  const shown = onlyMissing ? grants.filter(({ held }) => !held) : grants;
  const lines = [comment(`${user} at ${place}: what its part in the routes needs, as an administrator`)];
  for (const { statement, why, need, held, superuser = false } of shown) {
    const notes = [need === 'recommended' ? 'recommended' : '', held ? 'has it' : ''].filter(Boolean);
    lines.push('', comment(`${why}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`));
    lines.push(superuser && !held ? unbroken(statement) : statement);
  }
  if (shown.length === 0) lines.push(comment('nothing is missing'));
  if (missing.length > 0)
    lines.splice(1, 0, comment(`make these tables first, they are not there yet: ${missing.join(', ')}`));
  for (const { code, message } of leftOut) lines.push('', comment(`left out, ${code} ${message}`));
  return `${lines.join('\n')}\n`;
}
