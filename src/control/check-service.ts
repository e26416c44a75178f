import { createPrivateKey, X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import type { ApiSettings, Configuration, ListenAddress, Notification } from '../config/configuration.ts';
import { isLoopback } from '../config/server-url.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { Finding } from '../core/finding.ts';
import type { CheckedService } from './check-shared.ts';

type Found = Omit<Finding, 'node'>;

/** Short ones can be guessed: 16 characters of hex are 64 bits. */
const shortestToken = 16;

const soonDays = 30;

/**
 * What `tidelock run` needs of the host besides the databases, as far as it can be told beforehand. `listens`: it is the service that asks,
 * which has its ports.
 */
export async function checkService(
  configuration: Configuration,
  { listens }: { readonly listens: boolean },
): Promise<CheckedService> {
  const findings: Found[] = [];
  const guarded = async (check: () => Promise<readonly Found[]>): Promise<void> => {
    try {
      findings.push(...(await check()));
    } catch (error) {
      if (!(error instanceof TidelockError)) throw error;
      findings.push({ level: 'error', code: error.code, message: error.message, remedy: error.remedy });
    }
  };
  await guarded(async () => {
    const { api, probes } = configuration.service;
    if (listens) return [];
    return [
      ...(api === null ? [] : await port('service.api', api.listen)),
      ...(probes === null ? [] : await port('service.probes', probes.listen)),
    ];
  });
  await guarded(async () => {
    const { api } = configuration.service;
    return api === null ? [] : tokens(api);
  });
  await guarded(async () => {
    const files = configuration.service.api?.tls() ?? null;
    return files === null ? [] : certificate(files, Date.now());
  });
  await guarded(async () => configuration.notify.flatMap(notification));
  return { ok: findings.every(({ level }) => level !== 'error'), findings };
}

/** By listening there for a moment. */
async function port(what: string, { host, port: number }: ListenAddress): Promise<Found[]> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port: number, exclusive: true }, resolve);
    });
    return [];
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const at = `${what}.listen ${host}:${number}`;
    if (code === 'EADDRINUSE')
      return [
        {
          level: 'info',
          code: 'service.port',
          message: `${at} is in use: "tidelock run" is there already, or another program that it can't run beside`,
          remedy: 'Where it is not Tidelock, choose another port.',
        },
      ];
    const remedy =
      code === 'EACCES' ? 'Ports below 1024 are for root: choose a higher one.' : 'Name an address that this host has.';
    return [{ level: 'error', code: 'service.port', message: `${at} can't be listened at (${code})`, remedy }];
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

function tokens(api: ApiSettings): Found[] {
  const all = api.tokens();
  const found: Found[] = all
    .filter(({ token }) => token.length < shortestToken)
    .map(({ name }) => ({
      level: 'warning',
      code: 'service.token',
      message: `token ${name} of service.api has less than ${shortestToken} characters`,
      remedy: 'Take a long random one, such as that of "openssl rand -hex 32".',
    }));
  // Beyond loopback it was allowed by name; on it whoever has a login is trusted, which is what init begins with.
  if (all.length === 0)
    found.push({
      level: isLoopback(api.listen.host) ? 'info' : 'warning',
      code: 'service.token',
      message: 'service.api has no token: whoever has a login on this host can do everything that an operator can',
      remedy: 'Set service.api.token, by a reference.',
    });
  return found;
}

export function certificate({ cert, key }: { readonly cert: string; readonly key: string }, nowMs: number): Found[] {
  const remedy = 'Name a certificate and its key that are valid, as PEM files (service.api.tls).';
  let own: X509Certificate;
  try {
    own = new X509Certificate(cert);
    if (!own.checkPrivateKey(createPrivateKey(key)))
      return [{ level: 'error', code: 'service.tls', message: 'the key is not that of the certificate', remedy }];
  } catch {
    // What the library says may quote the file.
    return [{ level: 'error', code: 'service.tls', message: 'certificate or key cannot be read as PEM', remedy }];
  }
  const leftDays = Math.floor((Date.parse(own.validTo) - nowMs) / 86_400_000);
  if (leftDays >= soonDays) return [];
  const message =
    leftDays < 0
      ? `the certificate has expired on ${own.validTo}`
      : `the certificate expires in ${leftDays} ${leftDays === 1 ? 'day' : 'days'}`;
  return [{ level: leftDays < 0 ? 'error' : 'warning', code: 'service.tls', message, remedy }];
}

function notification(entry: Notification): Found[] {
  // What is wrong with an address is wrong with the configuration.
  if (entry.kind === 'webhook') return [];
  const [program = ''] = entry.command;
  if (isProgram(program)) return [];
  return [
    {
      level: 'error',
      code: 'notify.command',
      message: `the program ${program} of notify is not there, or may not be run by this user`,
      remedy: 'Give its whole path, and make it executable.',
    },
  ];
}

function isProgram(program: string): boolean {
  const paths = program.includes('/')
    ? [program]
    : (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, program));
  return paths.some((path) => {
    if (!existsSync(path)) return false;
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
