import type { JournalDocument } from '../control/read-journal.ts';
import { tableText } from './table-text.ts';

type Entry = JournalDocument['journal'][number];

/** What `tidelock journal` prints. `--json` has all details. */
export function journalText({ journal: entries, before }: JournalDocument, columns: number | null): string {
  if (entries.length === 0) return 'nothing is in the journal\n';
  const rows = entries.map((entry) => {
    const { at, route, action, by, via, result, code, reason } = entry;
    return [
      at.slice(0, 19).replace('T', ' '),
      route,
      [action, ...aboutWhat(entry)].join(' '),
      result,
      `${by} (${via})`,
      [code, reason].filter(Boolean).join(' '),
    ];
  });
  const more = before === null ? '' : `more: --before ${before}\n`;
  return `${tableText(['AT (UTC)!', 'ROUTE', 'ACTION', 'RESULT!', 'BY', 'WHY'], rows, columns)}\n${more}`;
}

/** What an action was about, as its command says it: who reads on wants to know which transaction was given up. */
function aboutWhat({ action, details }: Entry): string[] {
  switch (action) {
    case 'start':
      return [
        details.takeover === true && '--takeover',
        details.acceptSchemaChange === true && '--accept-schema-change',
      ].filter((option) => option !== false);
    case 'pause':
      return typeof details.pausedUntil === 'string'
        ? [`until ${details.pausedUntil.slice(0, 19).replace('T', ' ')}`]
        : [];
    case 'skip':
      return texts(details.transaction);
    case 'retry':
    case 'discard':
      return texts(details.ids);
    case 'rename':
      return details.from === undefined ? texts(details.to, 'to') : texts(details.from, 'from');
    case 'adopt':
      return texts(details.position);
    default:
      return [];
  }
}

function texts(value: unknown, ...before: readonly string[]): string[] {
  const values = Array.isArray(value) ? value : [value];
  const known = values.filter((one) => typeof one === 'string' || typeof one === 'number');
  return known.length === 0 ? [] : [...before, known.join(', ')];
}
