import { nodeFromAddress } from '../../config/node-from-address.ts';
import type { NodeSurvey } from '../../core/node-inspector.ts';
import type { NodeDefinition, TlsMode } from '../../core/route.ts';
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
  const make = (called: string): NodeDefinition =>
    nodeFromAddress({ name: called, type: 'postgres', url: address, tls: tls ?? undefined, from }, { env, cwd });
  const called = name ?? freeName(nameFrom(make('node').connection().database), taken);
  const node = make(called);
  const survey = offline ? null : await connectorFor(node.type).inspector(node).survey();
  return { name: called, address, tls, node, survey };
}
