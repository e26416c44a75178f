import { arrayFunctions } from './functions/arrays.ts';
import { functions } from './functions/functions.ts';

/** Of all functions that can be written; operators are not among them, nor what the grammar makes of ESCAPE. */
export const functionNames: ReadonlySet<string> = new Set([
  ...[...functions.keys()].map((key) => key.slice(0, key.indexOf('('))).filter((name) => /^[a-z]/.test(name)),
  'concat',
  'concat_ws',
  ...arrayFunctions.keys(),
]);

/** They depend on the time, on chance, or on what else is in the database. */
export const nondeterministic: ReadonlySet<string> = new Set([
  'now',
  'clock_timestamp',
  'statement_timestamp',
  'transaction_timestamp',
  'timeofday',
  'age',
  'random',
  'random_normal',
  'setseed',
  'gen_random_uuid',
  'uuidv4',
  'uuidv7',
  'nextval',
  'currval',
  'lastval',
  'setval',
  'txid_current',
  'pg_current_xact_id',
  'pg_backend_pid',
  'current_setting',
  'pg_sleep',
  'current_database',
  'version',
]);
