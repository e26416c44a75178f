import { nodeFromAddress } from '../../config/node-from-address.ts';
import { type ReferenceSource, resolveText } from '../../config/references.ts';
import { nodeErrors } from '../../core/errors/catalogue/node.ts';
import { TidelockError } from '../../core/errors/tidelock-error.ts';
import type { NodeSurvey } from '../../core/node-inspector.ts';
import type { NodeDefinition, NodeType, TlsMode } from '../../core/route.ts';
import { connectorFor } from '../../registry.ts';
import { freeName, nameFrom } from './names.ts';

export interface GivenTls {
  readonly mode?: TlsMode | undefined;
  readonly ca?: string | undefined;
}

export interface GivenNode {
  /** An address, or a reference to one. */
  readonly address: string;
  /** The option or question that it comes from. */
  readonly from: string;
  /** Null: after its database. */
  readonly name: string | null;
  readonly tls: GivenTls | null;
  /** Names that are given already. */
  readonly taken: readonly string[];
  readonly offline: boolean;
}

/** A node as it is reached while the file is made. Holds what is secret. */
export interface LookedNode {
  readonly name: string;
  readonly address: string;
  readonly tls: GivenTls | null;
  readonly node: NodeDefinition;
  /** Null where it was not looked at. */
  readonly survey: NodeSurvey | null;
}

export async function lookAt(
  { address, from, name, tls, taken, offline }: GivenNode,
  { env, cwd }: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
): Promise<LookedNode> {
  const make = (called: string, type: NodeType): NodeDefinition =>
    nodeFromAddress({ name: called, type, url: address, tls: tls ?? undefined, from }, { env, cwd });
  const type = typeOf(address, { env, cwd });
  const { database } = make('node', type).connection();
  const called = name ?? freeName(nameFrom(database === '' ? type : database), taken);
  const node = make(called, type);
  if (offline) return { name: called, address, tls, node, survey: null };
  try {
    return { name: called, address, tls, node, survey: await surveyOf(node) };
  } catch (error) {
    // Clients of both reach MariaDB by mysql://.
    if (type !== 'mysql' || !(error instanceof TidelockError) || error.code !== nodeErrors.otherVendor.code)
      throw error;
    const calledSo = name ?? freeName('mariadb', taken);
    const other = make(calledSo, 'mariadb');
    return { name: calledSo, address, tls, node: other, survey: await surveyOf(other) };
  }
}

const surveyOf = (node: NodeDefinition): Promise<NodeSurvey> => connectorFor(node.type).inspector(node).survey();

/** By the scheme of the address, wherever that comes from; what is wrong with it is told by the node that is made of it. */
function typeOf(address: string, references: ReferenceSource): NodeType {
  let text = address;
  try {
    text = resolveText(address, references, '');
  } catch {
    // A variable that is not set.
  }
  const [scheme] = text.split(':', 1);
  return scheme === 'mysql' || scheme === 'mariadb' ? scheme : 'postgres';
}
