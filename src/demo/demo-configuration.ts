import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const routeName = 'shop-to-copy';

export interface DemoConfiguration {
  readonly file: string;
  /** Of columns that are masked on the way. */
  readonly maskKey?: string;
}

/** Writes the configuration that the engine of the demo runs with, as a user would. */
export function writeConfiguration(
  directory: string,
  urls: { readonly source: string; readonly target: string },
): DemoConfiguration {
  const maskKey = randomBytes(24).toString('base64url');
  const file = join(directory, 'tidelock.yaml');
  // Only the owner reads them: they hold secrets.
  writeFileSync(join(directory, 'mask.key'), `${maskKey}\n`, { mode: 0o600 });
  const text = `# The configuration of "tidelock demo".
version: 1
name: demo
nodes:
  source: { type: postgres, url: "${urls.source}" }
  copy: { type: postgres, url: "${urls.target}" }
routes:
  ${routeName}:
    from: source
    to: copy
    tables:
      - bank.*
      - shop.*
      - name: shop.customers
        columns: { rename: { fname: first_name } }
        transforms:
          - mask: { columns: [email], method: hmac, key: "\${file:mask.key}" }
`;
  writeFileSync(file, text, { mode: 0o600 });
  return { file, maskKey };
}
