import type { TestDatabase } from '../../test/support/postgres.ts';
import { type Contest, megabytes, type Outcome, perRow, rounded, seconds, type Terms } from './contest.ts';
import { race } from './race.ts';
import { Stage } from './stage.ts';
import { tidelock } from './tidelock.ts';
import type { Scale } from './workload.ts';
import { atOnce } from './workload.ts';

const routes = 16;
const most = 1.2;
const aim = 1.05;
const schemas = Array.from({ length: routes }, (_, at) => `s${at + 1}`);
const accounts = 10_000;

/** As many routes as there are schemas, each with a worker process, beside one route: what a row costs in a worker. */
export const manyRoutes: Contest = {
  name: 'H',
  title: `${routes} routes at once, each with a backlog of 2,500 transactions of 4 rows and an insert of 20,000 rows`,
  run,
};

async function prepare(source: TestDatabase): Promise<void> {
  for (const schema of schemas)
    await source.query(`
      INSERT INTO ${schema}.account SELECT i, 0, 'an account' FROM generate_series(1, ${accounts}) i;
      CREATE SEQUENCE ${schema}.entry_id; CREATE SEQUENCE ${schema}.bulk_id;
      CREATE PROCEDURE ${schema}.post(n int) LANGUAGE plpgsql AS $$
        BEGIN
          FOR i IN 1..n LOOP
            UPDATE ${schema}.account SET balance = balance + 1 WHERE id IN (SELECT 1 + floor(random() * ${accounts})::int FROM generate_series(1, 3));
            INSERT INTO ${schema}.entry VALUES (nextval('${schema}.entry_id'), i, now(), 'an entry');
            COMMIT;
          END LOOP;
        END $$`);
}

async function write(source: TestDatabase, scale: Scale): Promise<number> {
  const transactions = Math.round(2_500 * scale);
  const rows = Math.round(20_000 * scale);
  await atOnce(
    source,
    schemas.map((schema) => `CALL ${schema}.post(${transactions})`),
  );
  for (const schema of schemas)
    await source.query(
      `INSERT INTO ${schema}.bulk SELECT nextval('${schema}.bulk_id'), md5(i::text), now() FROM generate_series(1, ${rows}) i`,
    );
  return transactions * 4 + rows;
}

async function run({ rounds, scale, synchronousCommit, lanes, onRound }: Terms): Promise<Outcome> {
  await using stage = await Stage.open({
    schemas,
    tables: `
      CREATE TABLE account (id int PRIMARY KEY, balance bigint, note text);
      CREATE TABLE entry (id bigint PRIMARY KEY, n int, at timestamptz, note text);
      CREATE TABLE bulk (id bigint PRIMARY KEY, payload text, at timestamptz);`,
    prepare,
    synchronousCommit,
    settings: { max_wal_senders: '40', max_replication_slots: '40', max_connections: '200' },
    contenders: [
      (source, target, on) =>
        tidelock({ source, target, lanes, name: 'one', schemas: schemas.slice(0, 1), ends: (end) => on.onEnd(end) }),
      (source, target, on) => tidelock({ source, target, lanes, name: 'many', schemas, ends: (end) => on.onEnd(end) }),
    ],
  });
  const laps = await race(stage, {
    rounds,
    write: (source) => write(source, scale),
    onRound: (line) => onRound({ workload: 'H', ...line }),
  });
  const [one, many] = [laps.get('one'), laps.get('many')];
  if (one === undefined || many === undefined) throw new TypeError('a contender is missing');
  const ratio = (many.cpuUsPerRow ?? Number.NaN) / (one.cpuUsPerRow ?? Number.NaN);
  const failed = [...laps].filter(([, { differ }]) => differ.length > 0).map(([name]) => name);
  return {
    workload: 'H',
    synchronousCommit,
    failed,
    passed: failed.length === 0 && ratio <= most,
    figures: {
      routes,
      oneMs: rounded(one.ms, 0),
      manyMs: rounded(many.ms, 0),
      oneCpuUsPerRow: rounded(one.cpuUsPerRow),
      manyCpuUsPerRow: rounded(many.cpuUsPerRow),
      ratio: rounded(ratio),
      must: most,
      aim,
      peakBytes: many.peakBytes,
    },
    text:
      `${perRow(many.cpuUsPerRow)} each of ${routes} / ${perRow(one.cpuUsPerRow)} alone  ${ratio.toFixed(2)} times (at most ${most}, aim ${aim}), ` +
      `${seconds(many.ms)} / ${seconds(one.ms)}, ${megabytes(many.peakBytes)} a worker`,
  };
}
