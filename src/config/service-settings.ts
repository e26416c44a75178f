import { dirname, resolve } from 'node:path';
import { checkAllow } from './check-allow.ts';
import type { ListenAddress, Notification, ServiceSettings } from './configuration.ts';
import { type Located, type Path, placeOf } from './located.ts';
import { readPem } from './pem.ts';
import { Problems } from './problem.ts';
import { ReferenceProblem, type ReferenceSource, resolveTree } from './references.ts';
import { scalars } from './schema/scalars.ts';
import { notifySchema, type ServiceData, serviceSchema } from './schema/service-schema.ts';
import { isLoopback } from './server-url.ts';
import { validate } from './validate.ts';

const schema = serviceSchema(scalars('resolved'));
const notificationsSchema = notifySchema(scalars('resolved'));

interface Source {
  readonly tree: Located;
  readonly references: ReferenceSource;
  readonly file: string;
}

export function serviceSettings(source: Source): ServiceSettings {
  const problems = new Problems(source.file);
  const data = checkService(source, problems, isSecret);
  if (data === null) throw problems.error();
  const { api, probes, allow } = data;
  return {
    api:
      api === undefined
        ? null
        : { listen: listenAddress(api.listen), tokens: () => tokens(source), tls: () => tls(source) },
    probes: probes === undefined ? null : { listen: listenAddress(probes.listen) },
    allow,
  };
}

/** Checks what is known; tokens and TLS files stay as they are written until they are needed. */
export function checkService(source: Source, problems: Problems, keep: (path: Path) => boolean): ServiceData | null {
  const path = ['service'];
  const tree = resolveTree(source.tree, path, { source: source.references, problems, keep });
  const data = problems.empty ? validate(schema, tree, { path, problems }) : null;
  if (data === null) return null;
  const complain = (below: Path, message: string): void =>
    problems.add({ kind: 'invalid', place: placeOf(tree, below), path: [...path, ...below], message });
  checkAllow(data.allow, 'service', { node: tree, path, problems });
  for (const key of ['api', 'probes'] as const) {
    const listen = data[key]?.listen;
    if (listen !== undefined && listenAddress(listen).port > 65_535)
      complain([key, 'listen'], 'has a port above 65535');
  }
  const { api } = data;
  if (api?.token !== undefined && api.tokens !== undefined)
    complain(['api', 'token'], 'is there beside tokens; keep one');
  const beyond = api !== undefined && !isLoopback(listenAddress(api.listen).host) && !data.allow.includes('openApi');
  if (beyond && (api.tls === undefined || (!api.token && !api.tokens?.length)))
    complain(['api', 'listen'], 'is beyond loopback: that needs a token and tls, or allow: [openApi]');
  return problems.empty ? data : null;
}

function isSecret(path: Path): boolean {
  return path.at(-1) === 'token' || path.at(-2) === 'tls';
}

function tokens(source: Source): { name: string; role: 'admin' | 'operator' | 'viewer'; token: string }[] {
  const problems = new Problems(source.file);
  const data = checkService(source, problems, (path) => path.at(-2) === 'tls');
  if (data === null) throw problems.error();
  if (data.api?.tokens !== undefined) return data.api.tokens;
  // An empty token is none: "${TIDELOCK_TOKEN:-}".
  return data.api?.token ? [{ name: 'admin', role: 'admin', token: data.api.token }] : [];
}

function tls(source: Source): { cert: string; key: string } | null {
  const problems = new Problems(source.file);
  const data = checkService(source, problems, (path) => path.at(-1) === 'token');
  if (data === null) throw problems.error();
  const files = data.api?.tls;
  if (files === undefined) return null;
  const pem = (name: 'cert' | 'key'): string => {
    try {
      return readPem(
        files[name],
        resolve(source.references.cwd, dirname(placeOf(source.tree, ['api', 'tls', name]).file)),
      );
    } catch (error) {
      if (!(error instanceof ReferenceProblem)) throw error;
      const path = ['api', 'tls', name];
      problems.add({
        kind: 'reference',
        place: placeOf(source.tree, path),
        path: ['service', ...path],
        message: error.message,
      });
      return '';
    }
  };
  const texts = { cert: pem('cert'), key: pem('key') };
  problems.throwIfAny();
  return texts;
}

function listenAddress(text: string): ListenAddress {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

export function notifications(source: Source): Notification[] {
  const problems = new Problems(source.file);
  const tree = resolveTree(source.tree, ['notify'], { source: source.references, problems });
  problems.throwIfAny();
  const data = validate(notificationsSchema, tree, { path: ['notify'], problems });
  if (data === null) throw problems.error();
  for (const [at, { webhook }] of data.entries())
    if (webhook !== undefined && !isWebAddress(webhook))
      problems.add({
        kind: 'invalid',
        place: placeOf(source.tree, [at]),
        path: ['notify', at, 'webhook'],
        message: 'wants an http or https URL',
      });
  problems.throwIfAny();
  return data.flatMap(({ webhook, command }): Notification[] => {
    if (webhook !== undefined) return [{ kind: 'webhook', url: webhook }];
    return command === undefined ? [] : [{ kind: 'command', command }];
  });
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
