import { TidelockError } from '../../core/errors/tidelock-error.ts';
import { sizeText } from '../../core/quantity-text.ts';
import type { CommandLine } from '../command-line.ts';
import { type GivenTls, type LookedNode, lookAt } from './look-at.ts';
import type { Prompter } from './prompter.ts';

export interface AskedNode {
  /** `source` or `target`. */
  readonly what: string;
  /** Null: asked. */
  readonly address: string | null;
  readonly tls: GivenTls | null;
  readonly taken: readonly string[];
}

const retries = [
  { value: 'other', label: 'Give another address' },
  { value: 'again', label: 'Try it again' },
  { value: 'encrypt', label: 'Encrypt, and verify no certificate', hint: 'tls.mode: encrypt' },
  { value: 'off', label: 'Do not encrypt', hint: 'tls.mode: off' },
] as const;

/** Asks for an address until a server answers there. */
export async function askNode(
  prompter: Prompter,
  line: CommandLine,
  { what, address, tls, taken }: AskedNode,
): Promise<LookedNode> {
  let given = address;
  let security = tls;
  for (;;) {
    given ??= await prompter.text(`Address of the ${what}`, {
      placeholder:
        'postgres://user:password@host:5432/database, mysql://user:password@host:3306, or a variable: ${NAME}',
      problem: (value) => (value === '' ? 'An address is needed.' : null),
    });
    const node = { address: given, from: `the ${what}`, name: null, tls: security, taken, offline: false };
    try {
      return await prompter.during(`Looking at the ${what}`, () => lookAt(node, line), surveyText);
    } catch (error) {
      if (!(error instanceof TidelockError)) throw error;
      const next = await prompter.select('What now?', retries);
      if (next === 'other') given = null;
      if (next === 'encrypt' || next === 'off') security = { mode: next };
    }
  }
}

export function surveyText({ name, survey }: LookedNode): string {
  if (survey === null) return name;
  const { server, user, tables, encrypted } = survey;
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  const count = `${tables.length} ${tables.length === 1 ? 'table' : 'tables'}`;
  return `${name}: ${server}${encrypted ? '' : ', not encrypted'}, ${count}, ${sizeText(bytes)}, as ${user}`;
}
