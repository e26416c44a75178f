import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { accessibilityFaults, openBrowser, openPage } from './browser.ts';
import { startFakeService } from './fake-service.ts';

/** The page over an invented service: what it shows, and what a real service seldom does. */
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Access token').fill(token);
  await page.keyboard.press('Enter');
  await page.getByText('Live', { exact: true }).waitFor();
}

async function open(url: string, hash: string, token: string, options = {}) {
  const opened = await openPage(browser, `${url}${hash}`, options);
  await signIn(opened.page, token);
  return opened;
}

test('a token opens the page, is kept as long as was asked for, and is in no address', async () => {
  await using fake = await startFakeService();
  await using opened = await openPage(browser, fake.url);
  const { page } = opened;
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.getByLabel('Access token').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('Not a token of this service.').waitFor();
  await signIn(page, 'operate');
  const stored = () =>
    page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie]));
  expect(await stored()).not.toContain('operate');
  await page.reload();
  await page.getByLabel('Access token').waitFor();
  await page.getByLabel('Stay signed in until this tab is closed').check();
  await signIn(page, 'operate');
  await page.reload();
  await page.getByText('Live', { exact: true }).waitFor();
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain('operate');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Access token').waitFor();
  expect(await stored()).not.toContain('operate');
  expect(asked.filter((url) => url.includes('operate') || url.includes('wrong'))).toEqual([]);
});

test('what wants a person comes first, and what changes is shown and said', async () => {
  await using fake = await startFakeService();
  await using opened = await open(fake.url, '', 'view');
  const { page } = opened;
  const routes = page.getByRole('table', { name: 'Routes' });
  const names = await routes.getByRole('rowheader').locator('a').allTextContents();
  expect(names.slice(0, 2)).toEqual(['sales-to-archive', 'stock-to-reporting']);
  await page.getByRole('link', { name: /sales-to-search .* from sales to search: running/ }).waitFor();
  fake.service.change('sales-to-search', {
    state: 'failed',
    health: 'critical',
    reason: { code: 'TL-2201', message: 'the target refused a row', remedy: 'Look at it.' },
  });
  const row = routes.getByRole('row', { name: /sales-to-search/ });
  await row.getByRole('cell', { name: 'critical', exact: true }).waitFor();
  await page.getByText('sales-to-search is failed, health critical: the target refused a row').waitFor();
  const summary = page.getByRole('region', { name: 'Summary' });
  expect(await summary.textContent()).toContain('2 critical');
  await page.keyboard.press('/');
  await page.keyboard.type('TL-2201');
  await until('one route', async () => (await routes.getByRole('rowheader').count()) === 1);
});

test('a viewer is offered nothing to do, and is shown no values', async () => {
  await using fake = await startFakeService();
  await using opened = await open(fake.url, '#/routes/stock-to-reporting/parked', 'view');
  const { page } = opened;
  await page.getByRole('button', { name: 'No. 1' }).click();
  await page.getByText('violates check constraint').last().waitFor();
  await page.getByRole('listitem').getByText('dwh.stock_levels').waitFor();
  const buttons = await page.getByRole('main').getByRole('button').allTextContents();
  expect(buttons.filter((text) => /Retry|Discard|Pause|Stop|Start|More|values/.test(text))).toEqual([]);
  expect(await page.getByText('KX-2231').count()).toBe(0);
});

test('an operator is offered nothing that is for admins', async () => {
  await using fake = await startFakeService();
  await using opened = await open(fake.url, '#/routes/stock-to-search', 'operate');
  const { page } = opened;
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('button', { name: 'Carry sequences…' }).waitFor();
  expect(await page.getByRole('button', { name: /Drop|Rename|Adopt/ }).count()).toBe(0);
  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await page.getByText(/An admin applies it here/).waitFor();
  expect(await page.getByRole('button', { name: /Apply/ }).count()).toBe(0);
  expect(await page.getByLabel(/Keep the rows/).count()).toBe(0);
});

test('an action names host, route and effect, and tells why it was refused', async () => {
  await using fake = await startFakeService();
  await using opened = await open(fake.url, '#/routes/sales-to-reporting', 'operate');
  const { page } = opened;
  const button = page.getByRole('button', { name: 'Pause…' });
  await button.click();
  const dialog = page.getByRole('dialog');
  const text = await dialog.textContent();
  expect(text).toContain('sales (postgres at pg-sales-1.internal:5432, pg-sales-2.internal:5432/shop)');
  expect(text).toContain('reporting (postgres at pg-dwh-1.internal:5432/dwh)');
  expect(text).toContain('its disk fills until the route runs again');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await button.evaluate((found) => found === document.activeElement)).toBe(true);
  expect(fake.service.asked).toEqual([]);

  await button.click();
  await dialog.getByLabel(/For how long/).fill('soon');
  expect(await dialog.getByRole('button', { name: 'Pause sales-to-reporting' }).isDisabled()).toBe(true);
  await dialog.getByLabel(/For how long/).fill('1h30m');
  await dialog.getByLabel(/Why/).fill('index rebuild');
  fake.service.refusal = { status: 409, code: 'TL-4120', message: 'another has the route', remedy: 'Ask there.' };
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').waitFor();
  expect(await dialog.getByRole('alert').textContent()).toContain('TL-4120 another has the route');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
  expect(fake.service.asked.at(-1)).toEqual({
    path: 'routes/sales-to-reporting/pause',
    body: { reason: 'index rebuild', forMs: 5_400_000 },
  });
  await page.getByRole('main').getByText('paused', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Resume…' }).waitFor();
});

test('what can be regretted wants a reason and the name of the route', async () => {
  await using fake = await startFakeService();
  await using opened = await open(fake.url, '#/routes/sales-to-archive', 'operate');
  const { page } = opened;
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('button', { name: 'Skip transaction…' }).click();
  const dialog = page.getByRole('dialog');
  const confirm = dialog.getByRole('button', { name: 'Skip transaction sales-to-archive' });
  await dialog.getByLabel(/To confirm, type/).fill('sales-to-archive');
  expect(await confirm.isDisabled()).toBe(true);
  await dialog.getByLabel(/Why/).fill('known bad row');
  await dialog.getByLabel(/To confirm, type/).fill('sales-to-archiv');
  await page.keyboard.press('Enter');
  expect(await confirm.isDisabled()).toBe(true);
  expect(fake.service.asked).toEqual([]);
  await dialog.getByLabel(/To confirm, type/).fill('sales-to-archive');
  await confirm.click();
  await dialog.waitFor({ state: 'detached' });
  expect(fake.service.asked).toEqual([
    { path: 'routes/sales-to-archive/skip', body: { transaction: '8812403', reason: 'known bad row' } },
  ]);
});

test('a plan is agreed to as it is shown, by the name of what changes, and followed until it is done', async () => {
  await using fake = await startFakeService();
  // Nodes that take their time are asked again, and nobody is told of an error.
  fake.service.late = 2;
  await using opened = await open(fake.url, '#/plan', 'admin');
  const { page } = opened;
  const panel = page.getByRole('region', { name: 'sales-to-reporting' });
  const blocked = page.getByRole('region', { name: 'sales-to-search' });
  await blocked.getByText('search.refunds is not at the target').waitFor();
  expect(fake.service.late).toBe(0);
  expect(await blocked.getByRole('button', { name: 'Apply…' }).isDisabled()).toBe(true);
  expect(await page.getByRole('button', { name: 'Apply all…' }).isDisabled()).toBe(true);
  // What is kept needs nobody's consent to go.
  await panel.getByLabel('Keep the rows of dwh.customers as they are').check();
  await panel.getByText('only what comes later; the rows of dwh.customers stay as they are').waitFor();
  await panel.getByLabel(/Keep the rows/).uncheck();
  await panel.getByText('812,004 rows of dwh.customers at reporting are deleted.').waitFor();

  await panel.getByRole('button', { name: 'Apply…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Apply: sales-to-reporting' });
  const text = await dialog.textContent();
  for (const said of ['public.customers', 'limits.lag.warn: 10s -> 30s', '812,004 rows', 'pg-dwh-1.internal:5432'])
    expect(text).toContain(said);
  const confirm = dialog.getByRole('button', { name: 'Apply sales-to-reporting' });
  await dialog.getByLabel(/Why/).fill('month end');
  expect(await confirm.isDisabled()).toBe(true);
  await dialog.getByLabel(/To confirm, type/).fill('sales-to-reporting');
  await confirm.click();
  await panel.getByText(/Agreed to, and under way: the route is running/).waitFor();
  const fingerprint = '5d41402abc4b2a76b9719d911017c592';
  expect(fake.service.asked).toEqual([
    {
      path: 'apply',
      body: { fingerprint, routes: ['sales-to-reporting'], keepRows: [], timeoutMs: 5000, reason: 'month end' },
    },
  ]);
  fake.service.applied = 'done';
  await page.getByText('sales-to-reporting does what the configuration says.').waitFor();
  expect(await panel.count()).toBe(0);
});

test('an admin drops, renames and moves a route, after the service has told what that would do', async () => {
  await using fake = await startFakeService();
  await using opened = await open(fake.url, '#/routes/stock-to-search', 'admin');
  const { page } = opened;
  const menu = page.getByText('More', { exact: true });
  const dialog = page.getByRole('dialog');
  await menu.click();
  await page.getByRole('button', { name: 'Adopt a position…' }).click();
  await dialog.getByText('The checkpoint moves from 9/1F00A0B8 to 9/1F00A3D0.').waitFor();
  await dialog.getByLabel(/Why/).fill('restored');
  await dialog.getByLabel(/To confirm, type/).fill('stock-to-search');
  await dialog.getByLabel(/Position/).fill('nonsense');
  await dialog.getByLabel(/Why/).focus();
  await dialog.getByText('nonsense is no position').waitFor();
  const adopt = dialog.getByRole('button', { name: 'Adopt a position stock-to-search' });
  expect(await adopt.isDisabled()).toBe(true);
  await dialog.getByLabel(/Position/).fill('9/AA');
  await dialog.getByLabel(/Why/).focus();
  await dialog.getByText('The checkpoint moves from 9/1F00A0B8 to 9/AA.').waitFor();
  await adopt.click();
  await page.getByText('stock-to-search: goes on from 9/AA when it is started').waitFor();
  const path = 'routes/stock-to-search';
  expect(fake.service.asked.at(-1)).toEqual({ path: `${path}/position`, body: { adopt: '9/AA', reason: 'restored' } });

  await menu.click();
  await page.getByRole('button', { name: 'Drop…' }).click();
  await dialog.getByText('slot and publication prod__stock_to_search (idle, for which 184 MB are kept)').waitFor();
  await dialog.getByText('the state of 3 tables: dwh.orders, dwh.order_lines, dwh.customers').waitFor();
  await dialog.getByLabel(/Why/).fill('moved');
  await dialog.getByLabel(/To confirm, type/).fill('stock-to-search');
  await page.keyboard.press('Enter');
  // What its user may not drop must not vanish with a message.
  await dialog.getByText('DROP EVENT TRIGGER prod__stock_to_search').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).click();
  const confirm = 'stock-to-search';
  expect(fake.service.asked.slice(-2)).toEqual([
    { path, body: { confirm, dryRun: true } },
    { path, body: { confirm, reason: 'moved' } },
  ]);

  await page.evaluate(() => {
    location.hash = '#/routes/sales-to-search';
  });
  await page.getByRole('heading', { name: 'sales-to-search' }).waitFor();
  await page.getByText(/Started again at .*: TL-4130 route sales-to-search: its worker/).waitFor();
  await menu.click();
  await page.getByRole('button', { name: 'Rename…' }).click();
  await dialog.getByLabel('New name').fill('Sales');
  await dialog.getByText('Small letters, digits and single hyphens, at most 30.').waitFor();
  await dialog.getByLabel('New name').fill('sales-to-find');
  await page.keyboard.press('Enter');
  await page.getByText('sales-to-search: is sales-to-find now; no engine runs it until').waitFor();

  await page.evaluate(() => {
    location.hash = '#/check';
  });
  await page.getByRole('button', { name: 'Drop orphans…' }).click();
  await dialog
    .getByText('old-route at sales (pg-sales-1.internal:5432, database shop): slot, for which 184 MB are kept.')
    .waitFor();
  await dialog.getByLabel(/Why/).fill('tidied');
  await dialog.getByLabel(/To confirm, type/).fill('orphans');
  await page.keyboard.press('Enter');
  await page.getByText('old-route at sales dropped').waitFor();
  expect(fake.service.asked.at(-1)).toEqual({ path: 'orphans', body: { confirm: 'orphans', reason: 'tidied' } });

  // Only a node that does not answer can be forgotten; what it would have to be rid of stays on the screen.
  const forget = page.getByRole('button', { name: 'Forget the node…' });
  expect(await forget.count()).toBe(1);
  await forget.click();
  await page.getByRole('dialog', { name: 'Forget the node: archive' }).waitFor();
  await dialog
    .getByText('archive-backfill at reporting (pg-dwh-1.internal:5432, database dwh): slot, publication.')
    .waitFor();
  await dialog.getByLabel(/Why/).fill('burnt');
  await dialog.getByLabel(/To confirm, type/).fill('archive');
  await page.keyboard.press('Enter');
  await dialog.getByText("DELETE FROM tidelock.routes WHERE key = 'prod/archive-backfill';").waitFor();
  expect(fake.service.asked.at(-1)).toEqual({ path: 'nodes/archive', body: { confirm: 'archive', reason: 'burnt' } });
});

test('parked transactions are shown, with values on demand, retried and given up', async () => {
  await using fake = await startFakeService();
  await using opened = await open(fake.url, '#/routes/stock-to-reporting/parked', 'operate');
  const { page } = opened;
  await page.getByRole('button', { name: 'No. 1' }).click();
  await page.getByRole('button', { name: /Show the values/ }).click();
  await page.getByRole('cell', { name: 'KX-2231' }).waitFor();
  await page.getByText('3 changes more').waitFor();
  await page.getByRole('button', { name: 'Retry 1' }).first().click();
  await page.getByLabel('Also those that they wait for').check();
  await page.getByRole('button', { name: 'Retry 1 stock-to-reporting' }).click();
  await page.getByText('stock-to-reporting: 1 transaction applied').waitFor();
  await page.getByRole('button', { name: 'Discard all shown…' }).click();
  await page.getByLabel(/Why/).fill('mended by hand');
  await page.getByLabel(/To confirm, type/).fill('stock-to-reporting');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing is parked.').waitFor();
  expect(fake.service.asked).toEqual([
    { path: 'routes/stock-to-reporting/parked/retry', body: { ids: [1], timeoutMs: 20_000, withEarlier: true } },
    {
      path: 'routes/stock-to-reporting/parked/discard',
      body: { ids: [2, 3], timeoutMs: 20_000, reason: 'mended by hand' },
    },
  ]);
});

test('jobs are shown with what they have found, paused, and what differs is repaired by an admin', async () => {
  await using fake = await startFakeService();
  fake.service.change('sales-to-reporting', {
    compared: {
      at: new Date().toISOString(),
      oldest: new Date().toISOString(),
      job: 'sales-to-reporting/12',
      tables: 3,
      rows: 2_408_662,
      missing: 1,
      extra: 0,
      different: 1,
      undecided: 0,
      unverified: 1,
    },
  });
  await using opened = await open(fake.url, '#/routes/sales-to-reporting/jobs', 'admin');
  const { page } = opened;
  await page.getByText('1 rows are missing at the target, 0 are extra and 1 differ').waitFor();
  await page.getByText('810,000 of 2,408,662').waitFor();
  await page.getByText('rows are at dwh.orders already').waitFor();
  await page.getByRole('row', { name: /compare 12 .*done: 2 rows differ, 1 table not compared/ }).waitFor();
  await page.getByRole('button', { name: 'compare 12' }).click();
  await page.getByText('1b7740c2de81a9e4').waitFor();
  await page.getByText('not compared: it is not there at the target').waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
  await page.getByRole('button', { name: 'Repair…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog
    .getByText('Rows of public.orders at reporting become what they are at sales', { exact: false })
    .waitFor();
  await dialog.getByLabel(/To confirm, type/).fill('sales-to-reporting');
  await page.keyboard.press('Enter');
  await page.getByText('job sales-to-reporting/15 is waiting').waitFor();
  await page.getByRole('button', { name: 'Pause sales-to-reporting/14' }).click();
  await page.getByRole('button', { name: 'Pause compare 14 sales-to-reporting' }).click();
  await page.getByText('pause of job sales-to-reporting/15 asked for').waitFor();
  await page.goto(`${fake.url}#/routes/sales-to-reporting/tables`);
  await page.getByRole('button', { name: 'Replace public.orders' }).click();
  await dialog.getByText('readers find the table empty, then growing', { exact: false }).waitFor();
  expect(await accessibilityFaults(page)).toEqual([]);
  await dialog.getByLabel(/To confirm, type/).fill('sales-to-reporting');
  await page.keyboard.press('Enter');
  await until('a load that replaces', () => fake.service.asked.length === 3);
  await page.getByRole('button', { name: 'Merge public.orders' }).click();
  await page.getByRole('button', { name: 'Merge public.orders sales-to-reporting' }).click();
  await until('one that merges', () => fake.service.asked.length === 4);
  await page.goto(`${fake.url}#/routes/archive-backfill`);
  await page.getByRole('cell', { name: 'rests' }).waitFor();
  expect(fake.service.asked).toEqual([
    { path: 'routes/sales-to-reporting/repair', body: { tables: ['public.orders'], from: 'sales' } },
    { path: 'routes/sales-to-reporting/jobs/14/pause', body: {} },
    { path: 'routes/sales-to-reporting/load', body: { tables: ['public.orders'], existing: 'replace' } },
    { path: 'routes/sales-to-reporting/load', body: { tables: ['public.orders'], existing: 'merge' } },
  ]);
});

test('a stream that is cut, or silent, is told as not live; it comes back by itself', async () => {
  await using fake = await startFakeService();
  await using opened = await openPage(browser, fake.url, { reducedMotion: 'no-preference' });
  const { page } = opened;
  await page.clock.install();
  await signIn(page, 'view');
  fake.service.change('sales-to-reporting', { rows: 48_300_000 });
  const flow = page.locator('.flow').first();
  await flow.waitFor({ state: 'attached' });
  fake.service.streamsRefused = true;
  fake.service.cutStreams();
  await page.getByText(/^Not live since/).waitFor();
  await page.getByText(/What is shown is as of .* not live/).waitFor();
  // Nothing flows in a picture that is old.
  expect(await flow.count()).toBe(0);
  fake.service.streamsRefused = false;
  await page.clock.fastForward(2000);
  await page.getByText('Live', { exact: true }).waitFor();

  fake.service.silent = true;
  await page.clock.fastForward(11_000);
  await page.getByText(/^Not live since/).waitFor();
  await page.getByText(/nothing was heard for 10 s/).waitFor();
  fake.service.silent = false;
  await page.getByRole('button', { name: 'Retry now' }).click();
  await page.getByText('Live', { exact: true }).waitFor();
});

test('what flows moves only where motion is allowed', async () => {
  await using fake = await startFakeService({ moving: true });
  await using opened = await open(fake.url, '', 'view');
  const { page } = opened;
  const flow = page.locator('.flow').first();
  await flow.waitFor({ state: 'attached' });
  const animation = () => flow.evaluate((line) => getComputedStyle(line).animationName);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  expect(await animation()).toBe('flow');
  await page.emulateMedia({ reducedMotion: 'reduce' });
  expect(await animation()).toBe('none');
});

test('dozens of nodes and routes leave the table of routes in reach', async () => {
  await using fake = await startFakeService();
  const { routes } = fake.service.deployment;
  const [some] = routes;
  if (some === undefined) throw new Error('no route');
  for (let at = 0; at < 40; at++)
    routes.push({
      ...some,
      name: `a-route-with-a-long-name-${at}`,
      source: { ...some.source, node: `a-source-of-many-${at % 9}` },
      target: { ...some.target, node: `a-target-of-many-${at % 5}` },
    });
  await using opened = await open(fake.url, '', 'view');
  const { page } = opened;
  await page.getByRole('link', { name: 'a-route-with-a-long-name-39', exact: true }).waitFor();
  const table = await page.getByRole('heading', { name: 'Routes', exact: true }).boundingBox();
  expect(table?.y).toBeLessThan(900);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1280);
});

test('the page is worked with the keyboard', async () => {
  await using fake = await startFakeService();
  await using opened = await open(fake.url, '', 'operate');
  const { page } = opened;
  const heading = page.getByRole('heading', { level: 1 });
  await page.keyboard.press('n');
  await page.getByRole('heading', { name: 'sales-to-archive' }).waitFor();
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
  await page.keyboard.press('5');
  await until('the journal', () => page.url().endsWith('#/routes/sales-to-archive/journal'));
  await page.keyboard.press('g');
  await page.keyboard.press('p');
  await until('the plan', async () => (await heading.textContent()) === 'Plan');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  // The first stop leads past the head of the page; every stop can be seen.
  await page.reload();
  await signIn(page, 'operate');
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('To the content');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle);
  expect(outline).toBe('solid');
});

test('charts say in a sentence and in a table what they draw', async () => {
  await using fake = await startFakeService();
  await using opened = await open(fake.url, '#/routes/sales-to-reporting', 'view');
  const { page } = opened;
  const lag = page.getByRole('figure', { name: 'Lag' });
  await lag.locator('canvas').waitFor();
  await page.getByRole('button', { name: '1 h' }).click();
  const drawing = lag.getByRole('img');
  await until('a summary', async () =>
    /Now 84 ms · mean .* highest/.test((await drawing.getAttribute('aria-label')) ?? ''),
  );
  await lag.getByText('As a table').click();
  expect(await lag.getByRole('row').count()).toBeGreaterThan(55);
});

const places = [
  '#/',
  '#/journal',
  '#/routes/sales-to-archive',
  '#/routes/sales-to-reporting/tables',
  '#/routes/stock-to-reporting/parked',
  '#/routes/sales-to-search/journal',
  '#/plan',
  '#/check',
  '#/routes/sales-to-reporting/check',
  '#/routes/sales-to-reporting/schema',
];

test('no page has a fault that axe finds, in light and in dark', async () => {
  await using fake = await startFakeService();
  await using opened = await openPage(browser, fake.url, { colorScheme: 'light', reducedMotion: 'reduce' });
  const { page } = opened;
  expect(await accessibilityFaults(page), 'sign in').toEqual([]);
  await signIn(page, 'operate');
  for (const [at, hash] of places.entries()) {
    await page.evaluate((to) => {
      location.hash = to;
    }, hash);
    await settled(page);
    if (hash.endsWith('/schema')) {
      await page.getByText('1 difference; 1 statement would make what is missing.').waitFor();
      await page.getByText('index customers_email of dwh.customers').waitFor();
      await page.getByText('ALTER TABLE dwh.customers ALTER email SET NOT NULL').waitFor();
      await page.getByText('Not made by Tidelock: 1').waitFor();
    }
    expect(await accessibilityFaults(page), hash).toEqual([]);
    // The same in other colours: those of half of the pages are all that there are.
    if (at % 2 === 1) continue;
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await accessibilityFaults(page, 'colours'), `${hash} in the dark`).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
  }
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  expect(await accessibilityFaults(page), 'keys').toEqual([]);
});

test('nothing is wider than a phone of 360 pixels', async () => {
  await using fake = await startFakeService();
  await using opened = await open(fake.url, '', 'operate', { viewport: { width: 360, height: 740 } });
  const { page } = opened;
  for (const hash of places) {
    await page.evaluate((to) => {
      location.hash = to;
    }, hash);
    await settled(page);
    const tooWide = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(tooWide, hash).toBe(0);
    const scrolled = await page
      .locator('.scroll')
      .evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.ariaLabel));
    expect([hash, scrolled]).toEqual([hash, []]);
  }
  await page.evaluate(() => {
    location.hash = '#/routes/sales-to-reporting';
  });
  await page.getByText('More', { exact: true }).click();
  const choice = await page.getByRole('button', { name: 'Carry sequences…' }).boundingBox();
  expect(choice?.x).toBeGreaterThanOrEqual(0);
  expect((choice?.x ?? 0) + (choice?.width ?? 0)).toBeLessThanOrEqual(360);
});

/** What the page asked for has come, and is drawn. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => !/Reading…|Checking…|Asking both nodes…/.test(document.body.textContent));
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
}
