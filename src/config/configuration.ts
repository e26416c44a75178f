import type { NodeDefinition, RouteDefinition } from '../core/route.ts';
import type { ConfigurationText } from './configuration-files.ts';
import type { LazyMap } from './lazy-map.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface ApiSettings {
  readonly listen: ListenAddress;
  /** Resolved at each call. Secrets: never logged or printed. */
  tokens(): readonly {
    readonly name: string;
    readonly role: 'admin' | 'operator' | 'viewer';
    readonly token: string;
  }[];
  /** Certificate and key as PEM texts, resolved at each call; null where the API speaks HTTP. The key is a secret. */
  tls(): { readonly cert: string; readonly key: string } | null;
}

export interface ServiceSettings {
  readonly api: ApiSettings | null;
  readonly probes: { readonly listen: ListenAddress } | null;
  readonly allow: readonly string[];
}

export type Notification =
  | { readonly kind: 'webhook'; readonly url: string }
  | { readonly kind: 'command'; readonly command: readonly string[] };

/**
 * A checked configuration. References are resolved when something is asked for that holds them: `routes.get(name)`
 * resolves those of that route, `connection()` of a node those of its address, at each call. Those throw a
 * TidelockError (TL-1005) where one cannot be resolved.
 */
export interface Configuration {
  /** The file that was read first, as an absolute path. */
  readonly file: string;
  /** The deployment. */
  readonly name: string;
  readonly nodes: LazyMap<NodeDefinition>;
  readonly routes: LazyMap<RouteDefinition>;
  readonly service: ServiceSettings;
  readonly notify: readonly Notification[];
  /** Throws a TidelockError (TL-1005) that names every reference, of all parts, that cannot be resolved now. */
  resolveAll(): void;
  /** The files as they were read. */
  text(): ConfigurationText;
  /** The route and its two nodes as they are written, with references as such: another text where something of it was changed. */
  written(route: string): string;
  /** Digest of what the route means, without secrets and addresses: equal as long as nothing of it was changed. */
  fingerprint(route: string): string;
}
