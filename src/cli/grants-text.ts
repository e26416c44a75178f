import { styleText } from 'node:util';
import type { GrantsDocument } from '../control/node-grants.ts';

/** Statements to be run as they are printed, each below what it is for. */
export function grantsText(
  { node, user, grants, missing }: GrantsDocument,
  { place, onlyMissing, colours }: { readonly place: string; readonly onlyMissing: boolean; readonly colours: boolean },
): string {
  const comment = (text: string): string => (colours ? styleText('dim', `-- ${text}`) : `-- ${text}`);
  const shown = onlyMissing ? grants.filter(({ held }) => !held) : grants;
  const lines = [comment(`${user} at ${place}: what its part in the routes needs, as an administrator`)];
  for (const { statement, why, need, held } of shown) {
    const notes = [need === 'recommended' ? 'recommended' : '', held ? 'has it' : ''].filter(Boolean);
    lines.push('', comment(`${why}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`), statement);
  }
  if (shown.length === 0) lines.push(comment('nothing is missing'));
  if (missing.length > 0)
    lines.push('', comment(`not there yet, make them and ask again: ${missing.join(', ')} (node ${node})`));
  return `${lines.join('\n')}\n`;
}
