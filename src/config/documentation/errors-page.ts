import { errorCatalogue } from '../../core/errors/catalogue.ts';
import type { ErrorKind } from '../../core/errors/tidelock-error.ts';

const areas: Readonly<Record<string, string>> = {
  1: 'Configuration and commands',
  2: 'Targets',
  3: 'Sources',
  4: 'Routes and Supervisor',
  5: 'Servers',
};

const recoveries: Readonly<Record<string, string>> = {
  retry: 'Tidelock tries again by itself.',
  halt: 'The route halts until it is started again.',
  resynchronise: 'The route halts, and its data has to be loaded or compared before it goes on.',
  fenced: 'This engine gives the route up.',
  usage: 'The command ends.',
};

/** docs/errors.md: every kind of the catalogue, with the names of its parameters where a message has values. */
export function errorsPage(): string {
  const lines = [
    '# Errors',
    '',
    'Every error has a code that stays the same. `tidelock errors CODE` prints what is here. What stands in `<` and `>` is filled in.',
  ];
  let area = '';
  for (const kind of errorCatalogue) {
    const digit = kind.code.slice(3, 4);
    if (digit !== area) lines.push('', `## TL-${digit}xxx: ${areas[digit] ?? ''}`);
    area = digit;
    lines.push('', ...entry(kind));
  }
  return `${lines.join('\n')}\n`;
}

/** The heading is the code alone, so that a link to it outlives its title. */
function entry(kind: ErrorKind<never>): string[] {
  const lines = [`### ${kind.code}`, '', `**${kind.title}.** ${kind.explanation}`, ''];
  const message = sample(kind.message);
  if (message !== null) lines.push(`- Message: \`${message.replaceAll('`', "'")}\``);
  lines.push(`- Then: ${recoveries[kind.recovery] ?? kind.recovery}`);
  const remedy = sample(kind.remedy);
  if (remedy !== null) lines.push(`- Remedy: ${remedy.replaceAll(/<(\w+)>/g, '`<$1>`')}`);
  return lines;
}

/** The text with `<name>` for each parameter; null where it is not made of texts alone. */
function sample(make: (place: never) => string): string | null {
  const place = new Proxy({}, { get: (_, name) => `<${String(name)}>` });
  try {
    return make(place as never).replaceAll('\n', ' ');
  } catch {
    return null;
  }
}
