import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launch } from './chromium.js';
import { startLive, type LiveRun } from './live.js';

/** Milliseconds. The machine may be busy: a spec waits for what it wants to see, and for nothing else. */
const PATIENCE = 30_000;

/** A browser, and a run of `npm run live` to look at, for all specs of a file. */
export function useLivePages() {
  jest.setTimeout(90_000);
  let browser: Browser | undefined;
  let live: LiveRun | undefined;
  const wrongs: string[] = [];
  const started = (): LiveRun => live!;

  beforeAll(async () => {
    [browser, live] = await Promise.all([launch(), startLive()]);
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await live?.stop();
  });

  return {
    live: started,
    /** What went wrong in the pages. */
    wrongs: wrongs as readonly string[],
    /** A page in a context of its own, once it has drawn a token. */
    open: async (options?: BrowserContextOptions, url = started().url): Promise<Page> => {
      const context = await browser!.newContext({ viewport: { width: 1_180, height: 900 }, ...options });
      context.setDefaultTimeout(PATIENCE);
      const page = await context.newPage();
      page.on('pageerror', ({ message }) => wrongs.push(message));
      page.on('console', (message) => {
        if (message.type() === 'error') wrongs.push(message.text());
      });
      await page.goto(url);
      await page.waitForSelector('.lane.ours .marbles g');
      return page;
    },
  };
}

export const close = (page: Page) => page.context().close();
export const press = (page: Page, name: string) => page.getByRole('button', { name }).click();

/** Waits until the table has a row with these texts, in this order. */
export const row = (page: Page, ...texts: string[]) =>
  page.waitForFunction(
    (wanted) =>
      [...document.querySelectorAll('tbody tr')].some(({ textContent }) => new RegExp(wanted).test(textContent)),
    texts.join('.*'),
  );
