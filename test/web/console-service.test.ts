import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, startPostgres } from '../support/postgres.ts';
import { RouteFile } from '../support/route.ts';
import { until } from '../support/until.ts';
import { openBrowser, openPage } from './browser.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

test('an operator sees a real route flow, pauses it, skips what it halts at, and brings it back', async () => {
  await using server = await startPostgres();
  const [source, target] = [await server.createDatabase(), await server.createDatabase()];
  for (const database of [source, target]) await database.query('CREATE TABLE item (id int PRIMARY KEY, n int)');
  await target.query('ALTER TABLE item ADD CONSTRAINT positive CHECK (n > 0)');
  await source.query('INSERT INTO item SELECT i, i FROM generate_series(1, 100) i');
  const port = await freePort();
  using file = new RouteFile({ source, target });
  file.append(`service:
  api:
    listen: 127.0.0.1:${port}
    tokens:
      - { name: mira, role: operator, token: operator-token-0123456789 }
`);
  await using route = file.run();
  await route.state('running');
  await using opened = await openPage(browser, `http://127.0.0.1:${port}/`);
  const { page } = opened;
  await page.getByLabel('Access token').fill('operator-token-0123456789');
  await page.keyboard.press('Enter');
  await page.getByText('Live', { exact: true }).waitFor();

  await source.query('INSERT INTO item SELECT i, i FROM generate_series(101, 400) i');
  await page
    .getByRole('table', { name: 'Routes' })
    .getByRole('row', { name: /here-to-there .*running.* ok .*300 ?100 loaded/ })
    .waitFor();
  await page.getByRole('link', { name: /here-to-there .*, from here to there: running/ }).press('Enter');
  const main = page.getByRole('main');
  await main.getByRole('figure', { name: 'Rows' }).locator('canvas').waitFor();
  await main.getByRole('heading', { name: 'Positions' }).waitFor();
  await page.keyboard.press('2');
  await main.getByRole('row', { name: /public\.item 100 300 0 0/ }).waitFor();

  await page.getByRole('button', { name: 'Pause…' }).click();
  await page.getByLabel(/For how long/).fill('2h');
  await page.getByLabel(/Why/).fill('index rebuild');
  await page.keyboard.press('Enter');
  await route.state('paused');
  await page.getByText(/here-to-there: pause asked for; the source keeps .* for it, a warning comes at 5 GB/).waitFor();
  await main.getByText(/by mira: “index rebuild” until/).waitFor();
  await page.getByRole('button', { name: 'Resume…' }).click();
  await page.getByRole('button', { name: 'Resume here-to-there' }).click();
  await route.state('running');

  await source.query('INSERT INTO item VALUES (500, -5)');
  await route.state('failed');
  await main
    .getByRole('region', { name: 'Reason' })
    .getByText(/positive/)
    .waitFor();
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('button', { name: 'Skip transaction…' }).click();
  await page.getByLabel(/Why/).fill('a test row');
  await page.getByLabel(/To confirm, type/).fill('here-to-there');
  await page.keyboard.press('Enter');
  await page.getByText('here-to-there: the transaction is set aside when it is met again').waitFor();
  await route.state('running');

  await page.keyboard.press('3');
  await main.getByRole('button', { name: 'No. 1' }).click();
  await main.getByRole('button', { name: /Show the values/ }).click();
  await main.getByRole('cell', { name: '-5' }).waitFor();
  await target.query('ALTER TABLE item DROP CONSTRAINT positive');
  await main.getByRole('button', { name: 'Retry 1' }).first().click();
  await page.getByRole('button', { name: 'Retry 1 here-to-there' }).click();
  await page.getByText('here-to-there: 1 transaction applied').waitFor();
  await main.getByText('Nothing is parked.').waitFor();
  expect(await target.query('SELECT n FROM item WHERE id = 500')).toEqual([{ n: -5 }]);

  await page.keyboard.press('6');
  await main.getByText(/^Ready/).waitFor();
  await page.keyboard.press('5');
  const journal = main.getByRole('table', { name: 'Journal of here-to-there' });
  await journal.getByRole('row', { name: /retry done mira \(api\)/ }).waitFor();
  const story = await journal.getByRole('row', { name: /pause done mira/ }).textContent();
  expect(story).toContain('“index rebuild”');
  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await main.getByText(/Nothing is to be done: 1 route as configured/).waitFor();

  // The service goes; the page does not say that it is live.
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await route.stop();
  await page.getByText(/^Not live since/).waitFor();
  await until('an old picture', async () => (await page.locator('.flow').count()) === 0);
});
