import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { validate as lintDockerfile } from 'dockerfile-utils';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfiguration } from '../../src/config/load-configuration.ts';
import { wrongInCompose } from '../support/compose-schemas.ts';
import { readImageSteps } from '../support/image-steps.ts';
import { wrongInManifest } from '../support/kubernetes-schemas.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const deploy = join(root, 'deploy');
const read = (name: string): string => readFileSync(join(deploy, name), 'utf8');
const probes = 7655;

test('the image has no embedded servers, runs no install scripts, is not root, and is asked how it is', () => {
  const stages = readImageSteps(join(deploy, 'Dockerfile'));
  const last = stages.at(-1)?.steps ?? [];
  expect(last.find(({ instruction }) => instruction === 'USER')?.text).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  expect(last.find(({ instruction }) => instruction === 'HEALTHCHECK')?.text).toContain(`:${probes}/healthz`);
  expect(last.find(({ instruction }) => instruction === 'EXPOSE')?.text).toBe(String(probes));
  expect(last.find(({ instruction }) => instruction === 'ENTRYPOINT')?.words?.[0]).toBe('node');
  const installs = stages.flatMap(({ steps }) => steps).filter(({ text }) => /npm (ci|prune|install)/.test(text));
  for (const { text } of installs) expect(text).toContain('--ignore-scripts');
  expect(installs.at(-1)?.text).toMatch(/npm prune --omit=dev --omit=optional /);
});

test('the Dockerfile has instructions, flags and values of the language only', () => {
  const lint = (text: string) => lintDockerfile(text).map(({ message }) => message);
  const text = read('Dockerfile');
  expect(lint(text)).toEqual([]);
  expect(lint(text.replace('WORKDIR', 'WROKDIR'))).toEqual(['Unknown instruction: WROKDIR']);
  expect(lint(text.replace('--interval=10s', '--interval=10'))).toEqual(['time: missing unit in duration 10']);
  expect(lint(text.replace('COPY --from', 'COPY --form'))).toEqual(['Unknown flag: form']);
});

test('everything that the build reads is in the build context', () => {
  const kept = read('Dockerfile.dockerignore').split('\n');
  const { include } = parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8')) as { include: string[] };
  const configurations = ['tsconfig.json', 'tsconfig.build.json', 'rolldown.config.ts', 'vite.config.ts'];
  for (const name of ['package.json', 'package-lock.json', ...configurations, ...include])
    expect(kept).toContain(`!${name}`);
});

test.each(['compose/tidelock.yaml', 'kubernetes/tidelock.yaml'])('deploy/%s is a valid configuration', (name) => {
  const env = { SALES_HOST: 'sales', REPORTING_HOST: 'reporting' };
  const configuration = loadConfiguration({ file: join(deploy, name), env, cwd: root });
  expect(configuration.service.probes).toEqual({ listen: { host: '0.0.0.0', port: probes } });
  expect([...configuration.routes.keys()]).toEqual(['sales-to-reporting']);
  // Beyond the host's loopback nothing but probes.
  expect(configuration.service.api?.listen.host ?? '127.0.0.1').toBe('127.0.0.1');
});

test('compose: what it mounts is there or made by its script, and the engine can change nothing in its container', () => {
  const { services, secrets } = parse(read('compose/compose.yaml'), { merge: true }) as {
    services: Record<string, { volumes?: string[]; image?: string }>;
    secrets: Record<string, { file: string }>;
  };
  expect(services.tidelock).toMatchObject({
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
  });
  for (const mount of Object.values(services).flatMap(({ volumes = [] }) => volumes)) {
    const [from = ''] = mount.split(':');
    if (from.startsWith('.')) expect([from, existsSync(join(deploy, 'compose', from))]).toEqual([from, true]);
  }
  for (const [name, { file }] of Object.entries(secrets)) {
    expect(file).toBe(`./secrets/${name}`);
    expect(read('compose/make-secrets.sh')).toContain(name);
  }
  // By name and version only: whose registry that is, the engine's own settings say.
  for (const { image } of Object.values(services)) expect(image).not.toMatch(/^[^/]+\.[^/]+\//);
});

test('kubernetes: probes, no privilege, secrets as files, two replicas', () => {
  const kept = parse(read('kubernetes/kustomization.yaml')) as { resources: string[] };
  for (const name of kept.resources) expect(existsSync(join(deploy, 'kubernetes', name))).toBe(true);
  const { spec } = parse(read('kubernetes/deployment.yaml'));
  const pod = spec.template.spec;
  const [container] = pod.containers;
  expect(spec.replicas).toBe(2);
  expect(pod).toMatchObject({
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: 'RuntimeDefault' } },
  });
  expect(container).toMatchObject({
    ports: [{ name: 'probes', containerPort: probes }],
    livenessProbe: { httpGet: { path: '/healthz', port: 'probes' } },
    readinessProbe: { httpGet: { path: '/readyz', port: 'probes' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  });
  expect(JSON.stringify(container.env)).not.toMatch(/secretKeyRef|password|token/i);
  // A group in flight may take 10 s.
  expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(10);
});

/** As the API reads it: YAML 1.1, where 0440 is octal. */
const manifest = (name: string) => parse(read(`kubernetes/${name}`), { version: '1.1' });

test.each([
  'secret.example.yaml',
  ...(parse(read('kubernetes/kustomization.yaml')) as { resources: string[] }).resources,
])("deploy/kubernetes/%s has fields and types of the API's schema only", (name) => {
  expect(wrongInManifest(manifest(name))).toEqual([]);
});

test('what is wrong with a manifest is found', () => {
  const wrong = (change: (deployment: ReturnType<typeof manifest>) => void): string[] => {
    const deployment = manifest('deployment.yaml');
    change(deployment);
    return wrongInManifest(deployment).map((line) => line.split(' ')[0] ?? '');
  };
  const pod = '/spec/template/spec';
  expect(wrong(({ spec }) => Object.assign(spec.template.spec, { terminationGracePeriod: 20 }))).toEqual([pod]);
  expect(wrong(({ spec }) => Object.assign(spec, { replicas: '2' }))).toEqual(['/spec/replicas']);
  expect(wrong(({ spec }) => delete spec.template.spec.containers[0].name)).toEqual([`${pod}/containers/0`]);
  expect(wrong(({ spec }) => Object.assign(spec.template.spec, { volumes: null }))).toEqual([`${pod}/volumes`]);
  expect(wrong((deployment) => Object.assign(deployment, { apiVersion: 'apps/v2' }))).toEqual(['no']);
});

test('kubernetes: names, quantities and modes are such as the API takes', () => {
  const { spec } = manifest('deployment.yaml');
  const [container] = spec.template.spec.containers;
  for (const quantity of [container.resources.requests, container.resources.limits].flatMap(Object.values))
    expect(quantity).toMatch(/^\d+(m|Ki|Mi|Gi)?$/);
  // Read by the group only, which is the one of `fsGroup`.
  expect(spec.template.spec.volumes[1].secret.defaultMode).toBe(0o440);
  for (const name of ['deployment.yaml', 'service.yaml', 'network-policy.yaml', 'disruption-budget.yaml'])
    expect(manifest(name).metadata.name).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/);
  // A budget that forbids to end any pod would stop a node from being drained.
  expect(manifest('disruption-budget.yaml').spec.minAvailable).toBeLessThan(spec.replicas);
  expect(spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
});

/** Names of files that a configuration refers to below a folder. */
function filesOf(configuration: string, folder: string): string[] {
  const found = [...configuration.matchAll(new RegExp(`${folder}/([\\w.-]+)`, 'g'))];
  return [...new Set(found.map(([, name = '']) => name))].sort();
}

test('kubernetes: what refers to something else of the folder finds it', () => {
  const { resources, labels, configMapGenerator } = parse(read('kubernetes/kustomization.yaml'));
  const of = (kind: string) =>
    (resources as string[]).map((name) => parse(read(`kubernetes/${name}`))).find((one) => one.kind === kind);
  const { spec } = of('Deployment');
  const pod = spec.template.metadata.labels;
  // The kustomization puts its own labels on pods and selectors alike.
  expect(labels).toMatchObject([{ includeSelectors: true, includeTemplates: true }]);
  for (const selector of [
    spec.selector.matchLabels,
    spec.template.spec.topologySpreadConstraints[0].labelSelector.matchLabels,
    of('Service').spec.selector,
    of('PodDisruptionBudget').spec.selector.matchLabels,
    of('NetworkPolicy').spec.podSelector.matchLabels,
  ])
    expect(pod).toMatchObject(selector);
  const [container] = spec.template.spec.containers;
  const ports = container.ports.map(({ name }: { name: string }) => name);
  for (const port of [
    ...of('Service').spec.ports.map(({ targetPort }: { targetPort: string }) => targetPort),
    of('NetworkPolicy').spec.ingress[0].ports[0].port,
    ...['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => container[probe].httpGet.port),
  ])
    expect(ports).toContain(port);
  expect(of('ServiceAccount').metadata.name).toBe(spec.template.spec.serviceAccountName);
  const volumes = spec.template.spec.volumes;
  expect(container.volumeMounts.map(({ name }: { name: string }) => name)).toEqual(
    volumes.map(({ name }: { name: string }) => name),
  );
  const secret = parse(read('kubernetes/secret.example.yaml'));
  expect(volumes).toMatchObject([
    { configMap: { name: configMapGenerator[0].name } },
    { secret: { secretName: secret.metadata.name } },
  ]);
  expect(container.volumeMounts).toMatchObject([
    { mountPath: '/etc/tidelock' },
    { mountPath: '/run/secrets/tidelock' },
  ]);
  expect(filesOf(read('kubernetes/tidelock.yaml'), '/run/secrets/tidelock')).toEqual(
    Object.keys(secret.stringData).sort(),
  );
});

test('compose: keys and types of its specification only, and what is wrong is found', () => {
  const file = () => parse(read('compose/compose.yaml'), { merge: true });
  expect(wrongInCompose(file())).toEqual([]);
  const wrong = (change: (services: Record<string, Record<string, unknown>>) => void): string[] => {
    const changed = file();
    change(changed.services);
    return wrongInCompose(changed).map((line) => line.split(' ')[0] ?? '');
  };
  expect(wrong(({ sales }) => Object.assign(sales ?? {}, { readonly: true }))).toEqual(['/services/sales']);
  expect(wrong(({ shop }) => Object.assign(shop ?? {}, { volumes: './shop.sh' }))).toContain('/services/shop/volumes');
  expect(wrong(({ shop }) => Object.assign(shop ?? {}, { depends_on: { sales: {} } }))).toContain(
    '/services/shop/depends_on/sales',
  );
  expect(wrong(({ tidelock }) => Object.assign(tidelock ?? {}, { stop_grace_period: '20' }))).toEqual([
    '/services/tidelock/stop_grace_period',
  ]);
});

test('compose: secrets, volumes and services that are named are there', () => {
  const { services, secrets, volumes } = parse(read('compose/compose.yaml'), { merge: true }) as {
    services: Record<string, { depends_on?: object; secrets?: string[]; volumes?: string[] }>;
    secrets: object;
    volumes: object;
  };
  for (const service of Object.values(services)) {
    const waits = service.depends_on ?? {};
    for (const name of Array.isArray(waits) ? waits : Object.keys(waits)) expect(Object.keys(services)).toContain(name);
    for (const name of service.secrets ?? []) expect(Object.keys(secrets)).toContain(name);
    for (const mount of service.volumes ?? [])
      if (/^\w/.test(mount)) expect(Object.keys(volumes)).toContain(mount.split(':')[0]);
  }
  expect(services.tidelock?.secrets).toEqual(filesOf(read('compose/tidelock.yaml'), '/run/secrets'));
});

test('systemd: reload is SIGHUP, the drain has time, credentials are files', () => {
  const unit = read('systemd/tidelock.service');
  expect(unit).toMatch(/^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
  expect(unit).toMatch(/^KillMode=mixed$/m);
  expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(10);
  expect(unit).not.toMatch(/^Environment=.*(PASSWORD|TOKEN)/m);
});

const analyze = '/usr/bin/systemd-analyze';

test.skipIf(!existsSync(analyze))('systemd: a unit that systemd itself finds nothing wrong with', () => {
  const said = spawnSync(analyze, ['verify', join(deploy, 'systemd/tidelock.service')], { encoding: 'utf8' });
  expect([said.status, said.stdout, said.stderr]).toEqual([0, '', '']);
});

test('no secret is in the folder', () => {
  for (const name of globSync('**/*', { cwd: deploy, exclude: ['compose/secrets'] }))
    expect(name).not.toMatch(/(password|token|\.key|\.pem)$/);
});
