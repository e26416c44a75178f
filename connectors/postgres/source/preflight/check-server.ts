import type pg from 'pg';
import type { Finding } from '../../../../src/core/finding.ts';
import type { RouteDefinition } from '../../../../src/core/route.ts';
import { quoteIdentifier } from '../../identifiers.ts';
import { queueNames } from '../queue-names.ts';
import { readSlot } from '../slot.ts';
import { isNamed, parseStandbyNames } from '../standby-names.ts';

type Found = Omit<Finding, 'node'>;

const factsQuery = `
  SELECT current_setting('wal_level') AS wal_level,
    current_setting('max_replication_slots')::int4 AS max_slots,
    (SELECT count(*) FROM pg_replication_slots)::int4 AS slots,
    current_setting('max_wal_senders')::int4 AS max_senders,
    (SELECT count(*) FROM pg_stat_replication)::int4 AS senders,
    current_setting('max_slot_wal_keep_size') AS keep_size,
    current_setting('synchronous_standby_names') AS standby_names,
    (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum'))::int4 AS standbys,
    current_user AS "user", current_database() AS database,
    has_database_privilege(current_database(), 'CREATE') AS may_create,
    (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user)
      OR COALESCE(pg_has_role(current_user, (SELECT oid FROM pg_roles WHERE rolname = 'rds_replication'), 'MEMBER'), false)
      AS may_replicate`;

export async function checkServer(client: pg.Client, route: RouteDefinition): Promise<readonly Finding[]> {
  const node = route.from.name;
  const facts = (await client.query(factsQuery)).rows[0];
  const names = queueNames(route);
  const slot = await readSlot(client, names.slot);
  const found = [
    ...settings(facts, slot !== null),
    ...privileges(facts, names.ownsPublication),
    ...(slot === null ? awaitedBefore(route, facts) : []),
    ...(names.ownsSlot || slot !== null ? [] : [missingSlot(names)]),
    ...(names.ownsSlot && slot?.unsuitable ? [takenSlot(names.slot, slot.unsuitable)] : []),
    ...(slot?.lost ? [lostSlot(names.slot, slot.lost)] : []),
  ];
  return found.map((finding) => ({ ...finding, node }));
}

function settings(facts: Record<string, unknown>, slotExists: boolean): Found[] {
  const found: Found[] = [];
  if (facts.wal_level !== 'logical')
    found.push({
      level: 'error',
      code: 'source.walLevel',
      message: `wal_level is ${String(facts.wal_level)}, changes can only be decoded with logical`,
      remedy: 'Set it and restart the server.',
      statement: 'ALTER SYSTEM SET wal_level = logical;',
    });
  if (!slotExists && Number(facts.slots) >= Number(facts.max_slots))
    found.push(full('source.slots', 'replication slots', 'max_replication_slots', Number(facts.max_slots)));
  // One to stream, and one more while the queue is made.
  if (Number(facts.senders) + 2 > Number(facts.max_senders) + (slotExists ? 1 : 0))
    found.push(full('source.walSenders', 'walsenders', 'max_wal_senders', Number(facts.max_senders)));
  found.push(
    facts.keep_size === '-1'
      ? {
          level: 'info',
          code: 'source.keepSize',
          message: 'max_slot_wal_keep_size is not limited: a route that stays away can fill the disk of the source',
          remedy: 'Watch limits.retained, or set a limit beyond which the route is lost rather than the source.',
          statement: `ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf();`,
        }
      : {
          level: 'info',
          code: 'source.keepSize',
          message: `max_slot_wal_keep_size is ${String(facts.keep_size)}: a route that falls further behind is lost`,
          remedy: 'Keep limits.retained below it.',
        },
  );
  return found;
}

/** The slot is made when open transactions have ended, and those that commit wait for the route. */
function awaitedBefore(route: RouteDefinition, facts: Record<string, unknown>): Found[] {
  const setting = parseStandbyNames(String(facts.standby_names));
  if (!isNamed(route, setting) || Number(facts.standbys) >= setting.count) return [];
  return [
    {
      level: 'warning',
      code: 'source.awaited',
      message: `synchronous_standby_names is ${String(facts.standby_names)}: COMMITs wait for the route, which has no queue yet, and its queue waits for them (TL-3121)`,
      remedy:
        'Take the name of the route out until it runs. Nothing keeps a route from its first start where nobody writes meanwhile.',
      ...(setting.names.length === 1 && {
        statement: `ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf();`,
      }),
    },
  ];
}

function full(code: string, what: string, setting: string, value: number): Found {
  return {
    level: 'error',
    code,
    message: `too few ${what} are free (${setting} is ${value})`,
    remedy: 'Drop what is not used any more, or raise the setting and restart the server.',
    statement: `ALTER SYSTEM SET ${setting} = ${value + 10};`,
  };
}

function privileges(facts: Record<string, unknown>, ownsPublication: boolean): Found[] {
  const user = quoteIdentifier(String(facts.user));
  const found: Found[] = [];
  if (facts.may_replicate !== true)
    found.push({
      level: 'error',
      code: 'source.replicationPrivilege',
      message: `user ${user} may not replicate`,
      remedy: 'Give it the attribute (on a managed service the role that it has for this).',
      statement: `ALTER ROLE ${user} REPLICATION;`,
    });
  if (ownsPublication && facts.may_create !== true)
    found.push({
      level: 'error',
      code: 'source.createPrivilege',
      message: `user ${user} may not create a publication in the database`,
      remedy:
        'Grant it, or name a publication of your own in the route (`publication: NAME`), which an administrator makes.',
      statement: `GRANT CREATE ON DATABASE ${quoteIdentifier(String(facts.database))} TO ${user};`,
    });
  return found;
}

function missingSlot({ slot, publication }: { readonly slot: string; readonly publication: string }): Found {
  return {
    level: 'error',
    code: 'source.givenSlot',
    message: `the given replication slot ${slot} does not exist`,
    remedy: `Make it after publication ${publication}, in this database.`,
    statement: `SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput');`,
  };
}

/** Slot names are the server's, not the database's: two deployments of one name meet here. */
function takenSlot(slot: string, why: string): Found {
  return {
    level: 'error',
    code: 'source.slotTaken',
    message: `there is a replication slot ${slot} already that the route can't use: ${why}`,
    remedy:
      'Change `name` at the top of the configuration, or the name of the route, since slot names are made of the two. Or drop the slot, where nobody uses it any more.',
  };
}

function lostSlot(slot: string, why: string): Found {
  return {
    level: 'error',
    code: 'source.slotLost',
    message: `replication slot ${slot} is lost: ${why}`,
    remedy: 'Drop the route, empty its target tables and load them again.',
  };
}
