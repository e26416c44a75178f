import type { NodeDocument, RouteDocument } from '../api/documents.ts';
import { currentService } from '../state/session.ts';
import type { Fact } from './action.ts';

/** Where something is done that is asked of a route: both nodes with their hosts, and the service. */
export function routeFacts({ name, source, target }: RouteDocument): Fact[] {
  return [
    { name: 'Route', value: name },
    { name: 'Source', value: placeOf(source.node) },
    { name: 'Target', value: placeOf(target.node) },
    ...serviceFacts(),
  ];
}

export function serviceFacts(): Fact[] {
  const service = currentService();
  return service === null ? [] : [{ name: 'Service', value: `${service.name} on ${service.host}` }];
}

function placeOf(name: string): string {
  const node = currentService()?.nodes.find((one) => one.name === name);
  return node === undefined ? name : placeText(node);
}

function placeText({ name, type, hosts, database }: NodeDocument): string {
  return `${name} (${type} at ${hosts.join(', ')}${database === '' ? '' : `/${database}`})`;
}
