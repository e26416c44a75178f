import AxeBuilder from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { findChromium } from '../support/chromium.ts';

/** Headless. Throws where there is none: a missing browser never passes for a passed test. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === null)
    throw new Error('no Chromium: "node test/support/fetch-browser.ts" installs it, TIDELOCK_TEST_CHROMIUM names one');
  // Chromium's sandbox does not run as root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return await chromium.launch({ executablePath, args });
}

export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** What went wrong in the page: errors, what its policy has refused, requests to other places. */
  readonly complaints: readonly string[];
}

/**
 * A page of its own, without what others have stored. When it is closed it has to be without complaint: no exception, nothing
 * that its content security policy refused, no request that left its origin.
 */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  const { origin } = new URL(url);
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith('data:') && new URL(asked).origin !== origin) complaints.push(`request to ${asked}`);
  });
  page.on('pageerror', (error) => complaints.push(`exception ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    // An answer that is no success is written there, too: those are the page's business.
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) complaints.push(`console ${text}`);
  });
  await page.goto(url);
  return {
    page,
    complaints,
    async [Symbol.asyncDispose]() {
      await context.close();
      expect(complaints).toEqual([]);
    },
  };
}

/** What axe finds wrong, one a line: rule, place. */
export async function accessibilityFaults(page: Page, only: 'all' | 'colours' = 'all'): Promise<string[]> {
  await page.evaluate(AxeBuilder.source);
  const all = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  return await page.evaluate(
    async (runOnly) => {
      const { axe } = globalThis as unknown as { axe: typeof AxeBuilder };
      const { violations } = await axe.run(document as never, { runOnly });
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id} ${target.join(' ')} ${failureSummary ?? ''}`),
      );
    },
    only === 'all' ? all : ['color-contrast'],
  );
}
