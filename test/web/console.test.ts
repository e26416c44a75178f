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
  await page.getByRole('button', { name: '1: 771201' }).click();
  await page.getByText('violates check constraint').last().waitFor();
  await page.getByRole('listitem').getByText('dwh.stock_levels').waitFor();
  const buttons = await page.getByRole('main').getByRole('button').allTextContents();
  expect(buttons.filter((text) => /Retry|Discard|Pause|Stop|Start|More|values/.test(text))).toEqual([]);
  expect(await page.getByText('KX-2231').count()).toBe(0);
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
  await dialog.getByLabel(/type the route's name/).fill('sales-to-archive');
  expect(await confirm.isDisabled()).toBe(true);
  await dialog.getByLabel(/Why/).fill('known bad row');
  await dialog.getByLabel(/type the route's name/).fill('sales-to-archiv');
  await page.keyboard.press('Enter');
  expect(await confirm.isDisabled()).toBe(true);
  expect(fake.service.asked).toEqual([]);
  await dialog.getByLabel(/type the route's name/).fill('sales-to-archive');
  await confirm.click();
  await dialog.waitFor({ state: 'detached' });
  expect(fake.service.asked).toEqual([
    { path: 'routes/sales-to-archive/skip', body: { transaction: '8812403', reason: 'known bad row' } },
  ]);
});

test('parked transactions are shown, with values on demand, retried and given up', async () => {
  await using fake = await startFakeService();
  await using opened = await open(fake.url, '#/routes/stock-to-reporting/parked', 'operate');
  const { page } = opened;
  await page.getByRole('button', { name: '1: 771201' }).click();
  await page.getByRole('button', { name: /Show the values/ }).click();
  await page.getByRole('cell', { name: 'KX-2231' }).waitFor();
  await page.getByText('3 changes more').waitFor();
  await page.getByRole('button', { name: 'Retry 1' }).first().click();
  await page.getByLabel('Also those that they wait for').check();
  await page.getByRole('button', { name: 'Retry 1 stock-to-reporting' }).click();
  await page.getByText('stock-to-reporting: 1 transaction applied').waitFor();
  await page.getByRole('button', { name: 'Discard all shown…' }).click();
  await page.getByLabel(/Why/).fill('mended by hand');
  await page.getByLabel(/type the route's name/).fill('stock-to-reporting');
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
  '#/routes/sales-to-reporting/check',
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
  }
});

/** What the page asked for has come, and is drawn. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => !/Reading…|Checking…|Asking both nodes…/.test(document.body.textContent));
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
}
