import type { ConcernDocument, RouteDocument } from '../api/documents.ts';

/** What is not well besides what the route gives as its reason. */
export function otherConcerns({ concerns = [], reason }: RouteDocument): readonly ConcernDocument[] {
  return concerns.filter(({ code }) => code !== reason?.code);
}
