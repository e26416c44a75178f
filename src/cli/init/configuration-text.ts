import { placeOfNode } from '../../control/node-place.ts';
import { sizeText } from '../../core/quantity-text.ts';
import { freeName, routeName } from './names.ts';
import type { InitRequest } from './request.ts';
import { carriedTables, proposedExclusions, writtenName } from './table-names.ts';
import type { PlannedRoute } from './template.ts';
import type { InitNode } from './written-node.ts';

/** The file that `init` writes: what was answered, with what a reader may want to change and where it is described. */
export function configurationText(request: InitRequest): string {
  const { template, deployment, source, targets, tables, settings } = request;
  const plan = { source: source.name, targets: targets.map(({ name }) => name), tables, settings };
  const lines = [
    `# Tidelock, ${template.name}: ${template.summary}.`,
    '# Every key is in docs/configuration.md; "tidelock config schema" prints a JSON Schema for editors.',
    'version: 1',
    `name: ${deployment} # the deployment: prefixes slots and publications, and what is stored at the nodes`,
    '',
    'nodes:',
    ...[source, ...targets].flatMap(nodeLines),
    '',
    'routes:',
  ];
  const names: string[] = [];
  for (const route of template.routes(plan)) {
    const name = freeName(routeName(route.from, route.to), names);
    names.push(name);
    lines.push(...routeLines(name, route, request));
  }
  lines.push(
    '',
    '# What "tidelock run" offers besides, on this host only. Without a token whoever has a login here may do everything:',
    '# export TIDELOCK_TOKEN="$(openssl rand -hex 32)" before it is started (docs/security.md).',
    'service:',
    '  api: { listen: 127.0.0.1:7654, token: "${TIDELOCK_TOKEN:-}" } # the HTTP API, and a web page at http://127.0.0.1:7654',
    '  probes: { listen: 127.0.0.1:7655 } # /healthz /readyz /metrics /health/routes',
    '# notify: [{ webhook: "${ALERT_URL}" }]',
  );
  return `${lines.join('\n')}\n`;
}

function nodeLines({ name, node, written, variable, tls, survey }: InitNode): string[] {
  const { hosts, database } = placeOfNode(node);
  const about = survey === null ? '' : `${survey.server}, ${survey.tables.length} tables, `;
  const value = { type: node.type, url: written, ...(tls && { tls: { mode: tls.mode, ca: tls.ca } }) };
  return [
    `  # ${about}${hosts.join(', ')}${database === '' ? '' : `, database ${JSON.stringify(database).slice(1, -1)}`}`,
    ...(variable === null ? [] : [`  # ${variable.name}=${variable.example}`]),
    `  ${name}: ${flow(value)}`,
  ];
}

function routeLines(name: string, route: PlannedRoute, { source, exclude }: InitRequest): string[] {
  const globs = route.tables.map((entry) => (typeof entry === 'string' ? entry : entry.name));
  const { survey } = source;
  const lines = [`  ${name}:`, `    from: ${route.from}`, `    to: ${route.to}`];
  for (const [key, { value, comment }] of Object.entries(route.keys ?? {}))
    lines.push(`    ${key}: ${flow(value)} # ${comment}`);
  lines.push('    tables:');
  for (const entry of route.tables) {
    const glob = typeof entry === 'string' ? entry : entry.name;
    const matched = survey === null ? [] : carriedTables(survey, [glob], exclude);
    const bytes = matched.reduce((sum, table) => sum + table.bytes, 0);
    const counted = `${matched.length} ${matched.length === 1 ? 'table' : 'tables'}`;
    lines.push(`      - ${flow(entry)}${survey === null ? '' : ` # ${counted}, ${sizeText(bytes)}`}`);
  }
  const left = survey === null ? [] : proposedExclusions(survey, globs);
  const kinds = new Map(left.map((entry) => [writtenName(entry), entry.kind]));
  const out = [...new Set([...exclude, ...kinds.keys()])];
  if (out.length > 0) lines.push('    exclude:');
  for (const pattern of out) {
    const kind = kinds.get(pattern);
    lines.push(`      - ${flow(pattern)}${kind === undefined ? '' : ` # ${kind}: not in the change queue`}`);
  }
  lines.push(
    '    load: { mode: initial, existing: refuse } # copies the tables first; never into tables that have rows',
    '    newTables: halt # a table that appears later and matches: halt, ignore or load',
    '    schemaChanges: halt # a definition that changes: halt, ignore or evolve',
    '    limits: { lag: { warn: 10s, critical: 60s }, retained: { warn: 5GB, critical: 20GB } }',
  );
  return lines;
}

/** YAML on one line. Text that is more than a plain word is in double quotes, which JSON's and YAML's share. */
export function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return `{ ${entries.map(([key, inner]) => `${key}: ${flow(inner)}`).join(', ')} }`;
  }
  if (typeof value !== 'string') return String(value);
  const isWord = /^[A-Za-z][A-Za-z0-9_./-]*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return isWord ? value : JSON.stringify(value);
}
