import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Asked, Control } from '../control/control.ts';
import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import { askedBy } from './asked-by.ts';
import { addCommand, type CommandLine, type CommandSpec, type CommonOptions } from './command-line.ts';
import { openConfiguration } from './open-configuration.ts';

/** Of commands that are carried out here, or by a service elsewhere. */
export interface ControlOptions extends CommonOptions {
  readonly url?: string;
  readonly ca?: string;
}

/** A command that a service elsewhere can carry out, too. */
export function addControlCommand(parent: Command, spec: CommandSpec): Command {
  return addCommand(parent, spec)
    .option(
      '--url <address>',
      'ask the service there instead of the databases (else TIDELOCK_URL); token: TIDELOCK_TOKEN',
    )
    .option('--ca <file>', 'certificate of an authority that is trusted for --url besides');
}

/** Of the service that is to carry the command out; undefined: it is carried out here. */
export function serviceAddress(line: CommandLine, { url, config }: ControlOptions): string | undefined {
  return url ?? (config === undefined ? line.env.TIDELOCK_URL || undefined : undefined);
}

/** The deployment that a command is about: that of the service at --url, of the file of -c, at TIDELOCK_URL, of the file. */
export async function openControl(line: CommandLine, options: ControlOptions): Promise<Control> {
  const { url, ca, config } = options;
  if (url !== undefined && config !== undefined)
    throw fail(configErrors.arguments, { why: 'give --url or --config, not both' });
  const address = serviceAddress(line, options);
  if (address !== undefined) return await openService(line, address, ca);
  if (ca !== undefined) throw fail(configErrors.arguments, { why: '--ca is for --url' });
  const configuration = openConfiguration(line, options);
  // With all connectors: a command that a service carries out needs none of them.
  const { LocalControl } = await import('../control/local-control.ts');
  return new LocalControl({ configuration: () => configuration });
}

async function openService(line: CommandLine, address: string, caFile: string | undefined): Promise<Control> {
  const url = serviceUrl(address);
  const token = line.env.TIDELOCK_TOKEN ?? '';
  // What can't be sent in a header is no token.
  if (!/^[\x21-\x7e]*$/.test(token))
    throw fail(configErrors.arguments, {
      why: 'TIDELOCK_TOKEN has characters that no token has (a line break at its end?)',
    });
  if (url.protocol === 'http:' && token !== '' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname))
    line.err.write(`The token goes to ${url.host} without TLS: whoever is on the way can read and use it.\n`);
  const { HttpControl } = await import('../client/http-control.ts');
  return new HttpControl({ url, token, ca: caFile === undefined ? null : readCa(resolve(line.cwd, caFile)) });
}

function serviceUrl(address: string): URL {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '')
    // Not quoted: somebody may have written a token into it.
    throw fail(configErrors.arguments, { why: '--url wants an address such as https://tidelock.example:7654' });
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

function readCa(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw fail(configErrors.arguments, {
      why: `--ca: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    });
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----'))
    throw fail(configErrors.arguments, { why: `--ca: ${file} holds no certificate in PEM form` });
  return text;
}

/** What the journal is told of a command. */
export function askedHere(reason?: string): Asked {
  return { by: askedBy(), via: 'cli', reason: reason?.trim() || null };
}
