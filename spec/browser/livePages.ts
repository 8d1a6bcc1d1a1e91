import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launch } from './chromium.js';
import { startLive, type LiveRun } from './live.js';

/** Milliseconds. The machine may be busy: a spec waits for what it wants to see, and for nothing else. */
const PATIENCE = 30_000;

export interface LivePages {
  readonly live: LiveRun;
  /** What went wrong in the pages. */
  readonly wrongs: readonly string[];
  /** A page in a context of its own, once it has drawn a token. */
  open(options?: BrowserContextOptions, url?: string): Promise<Page>;
  stop(): Promise<void>;
}

/** A browser, and a run of `npm run live` to look at. */
export async function startLivePages(): Promise<LivePages> {
  const [browser, live]: [Browser, LiveRun] = await Promise.all([launch(), startLive()]);
  const wrongs: string[] = [];
  return {
    live,
    wrongs,
    open: async (options, url = live.url) => {
      const context = await browser.newContext({ viewport: { width: 1_180, height: 900 }, ...options });
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
    stop: async () => {
      await browser.close();
      await live.stop();
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
