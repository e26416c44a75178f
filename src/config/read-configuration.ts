import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { canonicalJson } from '../core/canonical-json.ts';
import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { NodeDefinition, NodeType, RouteDefinition } from '../core/route.ts';
import { resolvedLate } from './built-in-transforms.ts';
import type { Configuration, Notification, ServiceSettings } from './configuration.ts';
import { ConfigurationFiles, type ConfigurationText } from './configuration-files.ts';
import { type FingerprintedRoute, fingerprintRoute } from './fingerprint.ts';
import { LazyMap } from './lazy-map.ts';
import { child, emptyMap, type Located, overlay, type Path, plain, withEntry } from './located.ts';
import { checkNode, nodeDefinition } from './node-definition.ts';
import { Problems } from './problem.ts';
import { readFiles } from './read-files.ts';
import { checkReferences, hasReferences, type ReferenceSource, resolveTree } from './references.ts';
import { checkRoute, type RouteSource, routeDefinition } from './route-definition.ts';
import { configurationSchema } from './schema/configuration-schema.ts';
import { namePattern, scalars } from './schema/scalars.ts';
import { checkService, notifications, serviceSettings } from './service-settings.ts';
import { validate } from './validate.ts';

const schema = configurationSchema(scalars('written'));

export interface LoadOptions {
  /** From -c. Without it TIDELOCK_CONFIG, then tidelock.yaml in `cwd`. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Files that were kept are read in place of those on the disk. */
  readonly text?: ConfigurationText | undefined;
}

/**
 * Reads and checks a configuration. Throws one TidelockError that names everything that is wrong. With expressions in it, it needs
 * the parser: loadConfiguration has it, and withParser loads it where it is wanted.
 */
export function readConfiguration(options: LoadOptions): Configuration {
  const { text } = options;
  const file = text?.file ?? findFile(options);
  const files = new ConfigurationFiles(text);
  const references: ReferenceSource = { env: options.env, cwd: options.cwd, files };
  const problems = new Problems(file);
  const read = readFiles(file, { cwd: options.cwd, source: references, problems, files });
  problems.throwIfAny();
  const tree = withDefaults(read);
  validate(schema, tree, { path: [], problems });
  checkReferences(tree, [], problems);
  const loaded = new LoadedConfiguration(file, tree, references);
  loaded.check(problems);
  problems.throwIfAny();
  return loaded;
}

function findFile({ file, env, cwd }: LoadOptions): string {
  const named = file ?? (env.TIDELOCK_CONFIG || undefined);
  const path = resolve(cwd, named ?? 'tidelock.yaml');
  if (!existsSync(path)) throw fail(configErrors.unreadable, { file: path, why: 'there is no such file' });
  return path;
}

/** `defaults` under every route, with the places that each value came from. */
function withDefaults(tree: Located & { kind: 'map' }): Located & { kind: 'map' } {
  const defaults = child(tree, 'defaults');
  const routes = child(tree, 'routes');
  if (defaults?.kind !== 'map' || routes?.kind !== 'map') return tree;
  let merged = routes;
  for (const [name, { node }] of routes.entries)
    if (node.kind === 'map') merged = withEntry(merged, name, overlay(defaults, node));
  return withEntry(tree, 'routes', merged);
}

class LoadedConfiguration implements Configuration {
  readonly file: string;
  readonly nodes: LazyMap<NodeDefinition>;
  readonly routes: LazyMap<RouteDefinition>;
  readonly #tree: Located;
  readonly #references: ReferenceSource;
  readonly #routeData = new Map<string, FingerprintedRoute>();

  constructor(file: string, tree: Located, references: ReferenceSource) {
    this.file = file;
    this.#tree = tree;
    this.#references = references;
    this.nodes = new LazyMap(this.#names('nodes'), (name) =>
      nodeDefinition({ name, tree: this.#part('nodes', name), references, file }),
    );
    this.routes = new LazyMap(this.#names('routes'), (name) => this.#route(name));
  }

  get name(): string {
    const problems = new Problems(this.file);
    const written = this.#part('name');
    const node = resolveTree(written, ['name'], { source: this.#references, problems });
    const name = node.kind === 'scalar' ? String(node.value) : '';
    if (problems.empty && !namePattern.test(name))
      problems.add({
        kind: 'invalid',
        place: written.place,
        path: ['name'],
        message: 'wants a name: small letters, digits and single hyphens, at most 30',
      });
    problems.throwIfAny();
    return name;
  }

  get service(): ServiceSettings {
    return serviceSettings(this.#source('service'));
  }

  get notify(): readonly Notification[] {
    const source = this.#source('notify');
    return source.tree.kind === 'list' ? notifications(source) : [];
  }

  fingerprint(route: string): string {
    this.routes.demand(route, 'route');
    const data = this.#routeData.get(route);
    if (data === undefined) throw new RangeError(`route ${route} was not read`);
    return fingerprintRoute(this.name, route, data);
  }

  text(): ConfigurationText {
    // A route is read when it is first asked for, and with it the files that it is made of.
    for (const name of this.routes.keys()) this.#readQuietly(name);
    return (this.#references.files ?? new ConfigurationFiles()).text(this.file);
  }

  written(route: string): string {
    const tree = this.#part('routes', route);
    const nodes = ['from', 'to'].map((end) => {
      const node = child(tree, end);
      return node?.kind === 'scalar' ? plain(this.#part('nodes', String(node.value))) : null;
    });
    return canonicalJson({ name: plain(this.#part('name')), route: plain(tree), nodes });
  }

  /** What is wrong with it is told when it is used. */
  #readQuietly(name: string): void {
    try {
      this.routes.get(name);
    } catch {}
  }

  resolveAll(): void {
    const problems = new Problems(this.file);
    resolveTree(this.#tree, [], { source: this.#references, problems });
    problems.throwIfAny();
  }

  /** Everything that can be told while references are not resolved, of the parts that are well-formed. */
  check(problems: Problems): void {
    const part = (path: Path, check: (own: Problems) => void): void => {
      if (problems.within(path)) return;
      const own = new Problems(this.file);
      check(own);
      problems.absorb(own);
    };
    for (const name of this.#names('nodes')) {
      const path = ['nodes', name];
      part(path, (own) => checkNode(this.#part(...path), path, own));
    }
    for (const name of this.#names('routes')) {
      const path = ['routes', name];
      const source = this.#routeSource(name);
      if (!hasReferences(source.tree, path, resolvedLate)) part(path, (own) => checkRoute(source, own));
    }
    const service = this.#source('service');
    if (!hasReferences(service.tree)) part(['service'], (own) => checkService(service, own, () => true));
  }

  #route(name: string): RouteDefinition {
    const { definition, data, digests } = routeDefinition(this.name, this.#routeSource(name), (node) =>
      this.nodes.demand(node, 'node'),
    );
    this.#routeData.set(name, { data, digests });
    return definition;
  }

  #routeSource(name: string): RouteSource {
    const { file } = this;
    const nodeNames = this.#names('nodes');
    const nodeType = (node: string): NodeType | null => this.#nodeType(node);
    return { name, tree: this.#part('routes', name), references: this.#references, file, nodeNames, nodeType };
  }

  /** What is wrong with a node is told of the node. */
  #nodeType(name: string): NodeType | null {
    try {
      return this.nodes.get(name)?.type ?? null;
    } catch {
      return null;
    }
  }

  #source(key: string): { tree: Located; references: ReferenceSource; file: string } {
    return { tree: this.#part(key), references: this.#references, file: this.file };
  }

  #names(section: string): string[] {
    const map = child(this.#tree, section);
    return map?.kind === 'map' ? [...map.entries.keys()] : [];
  }

  #part(...path: string[]): Located {
    const node = path.reduce<Located | undefined>(child, this.#tree);
    return node ?? emptyMap(this.#tree.place);
  }
}
