import type { LookedNode } from './look-at.ts';

/** A node as the file will have it. */
export interface InitNode extends LookedNode {
  /** A reference, or an address without a password. */
  readonly written: string;
  /** The variable that the file refers to, where the address was not given as a reference or another user is to run the routes. `value` is what it is now. */
  readonly variable: {
    readonly name: string;
    readonly example: string;
    readonly value: string;
    /** Of who looks now, without the password; null where that is who runs the routes, or where the variable has it. */
    readonly administrator: string | null;
  } | null;
}

/** Decides how the file names the node: no password gets into it. `user` runs the routes, where that is not who looks now. */
export function writtenNode(looked: LookedNode, user: string | null): InitNode {
  const { name, address, node } = looked;
  const { user: who, password } = node.connection();
  const isReference = address.includes('${');
  if (user === null && (isReference || password === undefined)) return { ...looked, written: address, variable: null };
  const given = variableOf(address);
  const variable = given ?? `${name.toUpperCase().replaceAll('-', '_')}_URL`;
  const login = (as: string, secret: string): string => urlOf(node, as, secret);
  return {
    ...looked,
    written: `\${${variable}}`,
    variable: {
      name: variable,
      example: login(user ?? who, ':PASSWORD'),
      value: login(who, password === undefined ? '' : `:${encodeURIComponent(password)}`),
      administrator: user === null || given !== null ? null : login(who, password === undefined ? '' : ':PASSWORD'),
    },
  };
}

function urlOf(node: LookedNode['node'], user: string, secret: string): string {
  const { hosts, database } = node.connection();
  const at = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : encodeURIComponent(host)}:${port}`);
  const path = node.type === 'postgres' ? `/${encodeURIComponent(database)}` : '';
  return `${node.type}://${encodeURIComponent(user)}${secret}@${at.join(',')}${path}`;
}

/** Of an address that is nothing but a variable. */
function variableOf(address: string): string | null {
  return /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(address)?.[1] ?? null;
}

/** For psql, which asks for a password that it is not given. */
export function shellAddress({ address, node }: LookedNode): string {
  const variable = variableOf(address);
  return variable === null ? `'${urlOf(node, node.connection().user, '')}'` : `"$${variable}"`;
}
