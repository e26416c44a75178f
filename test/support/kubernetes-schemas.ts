import { refusedBy } from './schema-definitions.ts';

/**
 * What of a manifest the API of Kubernetes would not take, or would leave out without a word: a field that it does not have, a value of
 * another type, null. kubernetes-schemas.jsonl holds the definitions of version 1.37 (Apache-2.0, as the PyPI package kubernetes-validate has
 * them in its strict form) for the kinds below, one a line, without descriptions and `status`.
 */
export function wrongInManifest(manifest: unknown): string[] {
  const { apiVersion, kind } = manifest as { readonly apiVersion?: unknown; readonly kind?: unknown };
  const definition = kinds[`${apiVersion} ${kind}`];
  if (definition === undefined) return [`no schema for ${apiVersion} ${kind}`];
  return [...refusedBy('kubernetes-schemas.jsonl', definition, manifest), ...nulls(manifest, '')];
}

const kinds: Readonly<Record<string, string>> = {
  'apps/v1 Deployment': 'api.apps.v1.Deployment',
  'networking.k8s.io/v1 NetworkPolicy': 'api.networking.v1.NetworkPolicy',
  'policy/v1 PodDisruptionBudget': 'api.policy.v1.PodDisruptionBudget',
  'v1 Namespace': 'api.core.v1.Namespace',
  'v1 Secret': 'api.core.v1.Secret',
  'v1 Service': 'api.core.v1.Service',
  'v1 ServiceAccount': 'api.core.v1.ServiceAccount',
};

/** Places of keys without a value: the definitions allow them everywhere, and they say nothing. */
function nulls(value: unknown, at: string): string[] {
  if (value === null) return [`${at} has no value`];
  if (typeof value !== 'object') return [];
  return Object.entries(value as object).flatMap(([key, inner]) => nulls(inner, `${at}/${key}`));
}
