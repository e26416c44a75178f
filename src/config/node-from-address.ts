import { join } from 'node:path';
import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import type { NodeDefinition, NodeType, TlsMode } from '../core/route.ts';
import type { Located } from './located.ts';
import { nodeDefinition } from './node-definition.ts';
import type { Problem } from './problem.ts';
import type { ReferenceSource } from './references.ts';

export interface NodeAddress {
  readonly name: string;
  readonly type: NodeType;
  /** May hold references, as in the file. */
  readonly url: string;
  readonly tls?: { readonly mode?: TlsMode | undefined; readonly ca?: string | undefined } | undefined;
  /** Where it was given, for what is wrong with it: `--source`. */
  readonly from: string;
}

/** A node that no configuration has yet: its address was given by an option, or answered to a question. */
export function nodeFromAddress(
  { name, type, url, tls, from }: NodeAddress,
  references: ReferenceSource,
): NodeDefinition {
  const place = { file: join(references.cwd, from), line: 1, column: 1 };
  const scalar = (value: string): Located => ({ kind: 'scalar', place, value });
  const map = (values: Readonly<Record<string, Located | undefined>>): Located => ({
    kind: 'map',
    place,
    entries: new Map(
      Object.entries(values).flatMap(([key, node]) => (node === undefined ? [] : [[key, { keyPlace: place, node }]])),
    ),
  });
  const mode = tls?.mode === undefined ? undefined : scalar(tls.mode);
  const ca = tls?.ca === undefined ? undefined : scalar(tls.ca);
  const security = mode === undefined && ca === undefined ? undefined : map({ mode, ca });
  const tree = map({ type: scalar(type), url: scalar(url), tls: security });
  const node = nodeDefinition({ name, tree, references, file: place.file });
  return { ...node, connection: () => toldOf(from, node.connection) };
}

/** What is wrong with an address that stands in no file has no line there. */
function toldOf<T>(from: string, connect: () => T): T {
  try {
    return connect();
  } catch (error) {
    const problems =
      error instanceof TidelockError ? (error.place as { problems?: readonly Problem[] }).problems : null;
    if (!problems) throw error;
    throw fail(configErrors.arguments, { why: `${from}: ${problems.map(({ message }) => message).join('; ')}` });
  }
}
