import { expect, test } from 'vitest';
import { startMysql } from '../support/mysql.ts';
import { RouteFile } from '../support/route.ts';
import { exits, expectAsSql, makeTables, type TransformStage, work } from '../support/transform-trial.ts';

test.each([
  ['mysql', 'mysql'],
  ['mariadb', 'mariadb'],
  ['mysql', 'mariadb'],
  ['mariadb', 'mysql'],
] as const)(
  'each transform from %s to %s, through load and stream, is what SQL says of the source',
  async (from, to) => {
    await using source = await startMysql({ vendor: from });
    await using target = await startMysql({ vendor: to });
    const stage: TransformStage = { family: 'mysql', source, target };
    const entries = await makeTables(stage);
    await work(stage, 0);
    using file = new RouteFile({ source, target, route: `tables:\n${entries}` });
    file.write(exits);
    expect(await file.tidelock('check')).toMatchObject({ code: 0 });
    await using route = file.run();
    await route.state('running', 60_000);
    for (let round = 1; round < 8; round++) {
      if (round === 2) process.kill(await route.workerPid(), 'SIGKILL');
      await work(stage, round);
      if (round % 3 !== 0) continue;
      await route.caughtUp(30_000);
      await expectAsSql(stage);
    }
    await route.caughtUp(30_000);
    await expectAsSql(stage);
    const { code, out, err } = await file.tidelock('compare', 'here-to-there', '--json');
    expect({ code, out, err }).toMatchObject({ code: 0 });
    // Rows of others may stand beside those that a condition has chosen.
    await source.query('TRUNCATE public.filtered');
    const halted = await route.state('failed', 30_000);
    expect(halted.reason?.code).toBe('TL-2134');
  },
);
