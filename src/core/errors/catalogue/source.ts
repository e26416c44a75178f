import { errorKind } from '../tidelock-error.ts';

/** TL-3xxx: sources. */
export const sourceErrors = {
  invalidPosition: errorKind<{ text: string }>({
    code: 'TL-3001',
    title: 'Not a position of this source',
    recovery: 'halt',
    message: ({ text }) => `"${text}" is no position of this source`,
    remedy: () => 'Give a position as the source prints it (PostgreSQL: 0/1A2B3C8).',
    explanation:
      'A position was given by a person, or stored by something else than Tidelock, that the source type cannot read.',
  }),
  slotLost: errorKind<{ route: string; slot: string; why: string }>({
    code: 'TL-3101',
    title: 'The change queue no longer has what the route needs',
    recovery: 'resynchronise',
    message: ({ route, slot, why }) => `route ${route}: replication slot ${slot} is lost: ${why}`,
    remedy: ({ route }) =>
      `Drop the route's state with "tidelock drop ${route} --yes", empty its target tables and start it again with load: initial.`,
    explanation:
      'The server has removed WAL that the route has not read yet (max_slot_wal_keep_size, or a replaced server). Going on would skip changes without a trace.',
  }),
};
