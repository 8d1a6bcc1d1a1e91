import type { Browser, CDPSession } from 'playwright-core';
import { launch } from './chromium.js';
import { openTab, type RawTab } from './rawTab.js';
import { bundlePage } from './bundlePage.js';
import { serveTabs, type TokenServer } from './tokenServer.js';
import { until as becomesTrue } from '../until.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let browser: Browser;
let devtools: CDPSession;
let script: string;
let server: TokenServer;
beforeAll(async () => {
  script = await bundlePage('tabs.ts');
  browser = await launch();
  devtools = await browser.newBrowserCDPSession();
}, 300_000);
afterAll(() => browser.close());
let opened: RawTab[];
beforeEach(async () => {
  opened = [];
  server = await serveTabs(script);
});
afterEach(() => server.close());

async function open(tab: string, newWindow = true, more = ''): Promise<RawTab> {
  const page = await openTab(devtools, `${server.origin}/?tab=${tab}${more}`, newWindow);
  while (!(await page.evaluate<boolean>('typeof tab === "object" && document.readyState === "complete"')))
    await pause(10);
  opened.push(page);
  return page;
}

/** The other tab answers in time, even if the machine stalls: a tab without an answer would fetch a token of its own. */
const LONG_ASK = '&askTimeout=1000';

const start = (page: RawTab) => page.evaluate('tab.start()');
const current = (page: RawTab) => page.evaluate<string | null>('tab.current()');
const story = (page: RawTab) => page.evaluate<string[]>('globalThis.tab?.story ?? []');
const count = (page: RawTab, type: string) => page.evaluate<number>(`tab.count(${JSON.stringify(type)})`);

const until = (condition: () => boolean | Promise<boolean>) =>
  becomesTrue(condition, 15_000).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await whatHappened()}`);
  });

/** What the server was asked and what each tab went through. A tab that is frozen or gone does not answer. */
async function whatHappened(): Promise<string> {
  const asked = server.asked.map(({ tab, at }) => `${tab} asked at ${at.toFixed(0)} ms`);
  const told = opened.map((tab, index) =>
    Promise.race([
      tab.evaluate<string>('JSON.stringify([performance.now(), tab.story, tab.events])').catch(String),
      pause(500).then(() => 'no answer'),
    ]).then((answer) => `tab ${String(index)}: ${answer}`),
  );
  return [...asked, ...(await Promise.all(told)), `now ${performance.now().toFixed(0)} ms`].join('\n');
}

describe('in Chromium', () => {
  it('six tabs should cost one fetch per token life, and never two at once', async () => {
    const tabs = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => open(name)));
    const begun = performance.now();
    await Promise.all(tabs.map(start));
    await pause(4000);
    // A token of 1 s that is renewed 250 ms before its end.
    const ideal = Math.ceil((performance.now() - begun) / 750);
    const values = new Set(await Promise.all(tabs.map(current)));
    console.info(
      `6 tabs, 1 s tokens, 4 s: ${String(server.asked.length)} fetches (ideal ${String(ideal)}), at most ${String(server.parallel)} at once`,
    );
    expect(server.asked.length).toBeLessThanOrEqual(ideal + 2);
    expect(server.asked.length).toBeGreaterThan(2);
    expect(server.parallel).toBe(1);
    // Around a renewal some have the new token and others the one before.
    expect(values.size).toBeLessThanOrEqual(2);
    for (const tab of tabs) expect(await count(tab, 'refreshFailed')).toBe(0);
    await Promise.all(tabs.map((tab) => tab.send('Page.close')));
  }, 60_000);

  it('a tab that crashes in mid-fetch should hold nobody up', async () => {
    server.ignored.add('crashing');
    const [crashing, waiting] = [await open('crashing'), await open('waiting')];
    await start(crashing);
    await until(() => server.asked.length === 1);
    await start(waiting);
    await pause(200);
    expect(server.asked).toHaveLength(1);
    const crashed = performance.now();
    // Never answered: there is nobody left to.
    void crashing.send('Page.crash');
    await until(() => server.asked.length === 2);
    const took = (server.asked[1]?.at ?? Infinity) - crashed;
    console.info(`a tab crashed in mid-fetch: the next fetch came after ${took.toFixed(0)} ms`);
    expect(server.asked[1]?.tab).toBe('waiting');
    // The lock's holder would have had twenty seconds.
    expect(took).toBeLessThan(1000);
    await until(async () => (await current(waiting)) === 'T2');
    await waiting.send('Page.close');
  }, 30_000);

  it('a tab that is frozen in mid-fetch should hold the others up for lockTimeout, and spoil nothing when it wakes', async () => {
    server.lifetime = 60;
    server.ignored.add('frozen');
    const frozen = await open('frozen', false);
    await start(frozen);
    await until(() => server.asked.length === 1);
    const waiting = await open('waiting', false, '&lockTimeout=1500');
    await waiting.send('Page.bringToFront');
    await frozen.send('Page.setWebLifecycleState', { state: 'frozen' });
    const began = performance.now();
    await start(waiting);
    await until(async () => (await current(waiting)) === 'T2');
    expect(performance.now() - began).toBeGreaterThan(1400);
    await frozen.send('Page.setWebLifecycleState', { state: 'active' });
    await until(async () => (await current(frozen)) === 'T2');
    expect(server.asked.map(({ tab }) => tab)).toEqual(['frozen', 'waiting']);
    await Promise.all([frozen, waiting].map((tab) => tab.send('Page.close')));
  }, 30_000);

  it('a background tab, slow as it is, should hear of every token, and use none that is over when it comes back', async () => {
    server.lifetime = 2;
    const background = await open('background', false);
    await start(background);
    await until(async () => (await current(background)) !== null);
    const front = await open('front', false);
    await front.send('Page.bringToFront');
    await start(front);
    expect(await background.evaluate('document.visibilityState')).toBe('hidden');
    // Its timers come once a second now.
    await background.evaluate('globalThis.ticks = 0; setInterval(() => ticks++, 20); 0');
    const begun = performance.now();
    const before = server.asked.length;
    await pause(4000);
    const seconds = (performance.now() - begun) / 1000;
    expect(await background.evaluate<number>('ticks')).toBeLessThan(2.5 * seconds);
    expect(server.parallel).toBe(1);
    // A token of 2 s that is renewed 250 ms before its end.
    expect(server.asked.length - before).toBeLessThanOrEqual(Math.ceil(seconds / 1.75) + 1);
    expect(server.asked.length).toBeGreaterThan(1);
    expect(await current(background)).toBe(await current(front));

    // Frozen, it hears nothing; what lay there meanwhile is old when it wakes.
    await background.send('Page.setWebLifecycleState', { state: 'frozen' });
    await pause(3000);
    await background.send('Page.setWebLifecycleState', { state: 'active' });
    await background.send('Page.bringToFront');
    await until(
      async () => (await current(background)) !== null && (await current(background)) === (await current(front)),
    );
    expect(await background.evaluate('document.visibilityState')).toBe('visible');
    expect(await background.evaluate<number>('tab.left()')).toBeLessThanOrEqual(2000);
    expect(server.parallel).toBe(1);
    await Promise.all([background, front].map((tab) => tab.send('Page.close')));
  }, 60_000);

  it('a page that becomes visible should look at the clock at once', async () => {
    server.lifetime = 60;
    const sleeper = await open('sleeper', false);
    await start(sleeper);
    await until(async () => (await current(sleeper)) === 'T1');
    const front = await open('front', false);
    await front.send('Page.bringToFront');
    // The machine slept: only the clock knows.
    await sleeper.evaluate('{ const now = Date.now; Date.now = () => now() + 3_600_000; } 0');
    expect(server.asked).toHaveLength(1);
    await sleeper.send('Page.bringToFront');
    await until(async () => (await current(sleeper)) === 'T2');
    await Promise.all([sleeper, front].map((tab) => tab.send('Page.close')));
  }, 30_000);

  it('signing out in one tab should clear all', async () => {
    server.lifetime = 60;
    const tabs = [await open('a', true, LONG_ASK), await open('b', true, LONG_ASK), await open('c', false, LONG_ASK)];
    for (const tab of tabs) {
      await start(tab);
      await until(async () => (await current(tab)) === 'T1');
    }
    await tabs[0]!.evaluate('tab.store.signOut()');
    for (const tab of tabs) await until(async () => (await story(tab)).join() === 'T1,signedOut');
    expect(server.asked).toHaveLength(1);
    // Nothing is stored but the id of the session.
    expect(
      await tabs[1]!.evaluate(
        'JSON.stringify([Object.entries(localStorage), Object.keys(sessionStorage), document.cookie])',
      ),
    ).toMatch(/^\[\[\["rx-fresh-token\/orders","[0-9a-f]{32}"\]\],\[\],""\]$/);
    const late = await open('late', true, LONG_ASK);
    await start(late);
    await until(async () => (await current(late)) === 'T2');
    await start(tabs[1]!);
    await until(async () => (await current(tabs[1]!)) === 'T2');
    await Promise.all([...tabs, late].map((tab) => tab.send('Page.close')));
  }, 30_000);

  describe.each<[string, (away: RawTab) => Promise<unknown>, (away: RawTab) => Promise<unknown>]>([
    [
      'comes back from the back/forward cache',
      (away) => away.evaluate("location.href = '/elsewhere'; 0"),
      (away) => away.evaluate('history.back(); 0'),
    ],
    [
      'was frozen',
      (away) => away.send('Page.setWebLifecycleState', { state: 'frozen' }),
      (away) => away.send('Page.setWebLifecycleState', { state: 'active' }),
    ],
    [
      'was busy',
      (away) => {
        void away.evaluate('{ const end = performance.now() + 1500; while (performance.now() < end); } 0');
        return Promise.resolve();
      },
      () => pause(1500),
    ],
  ])('a tab of Alice that %s', (what, leave, comeBack) => {
    it('after she signed out and Bob signed in should be signed out first, and give him nothing of hers', async () => {
      server.lifetime = 60;
      server.user = 'A';
      const away = await open('away', true, LONG_ASK);
      await start(away);
      await until(async () => (await current(away)) === 'A1');
      const here = await open('here', true, LONG_ASK);
      await start(here);
      await until(async () => (await current(here)) === 'A1');
      await leave(away);
      await pause(200);
      await here.evaluate('tab.store.signOut()');
      server.user = 'B';
      await start(here);
      await until(async () => (await current(here)) === 'B2');
      await comeBack(away);
      const back = what.includes('cache') ? 'A1,signedOut,back' : 'A1,signedOut';
      await until(async () => (await story(away)).join() === back);
      // A tab like any other from now on.
      await start(away);
      await until(async () => (await current(away)) === 'B2');
      expect((await story(here)).join()).toBe('A1,signedOut,B2');
      expect(server.asked.map(({ last }) => last)).toEqual(['', '']);
      await Promise.all([away, here].map((tab) => tab.send('Page.close')));
    }, 30_000);
  });

  it('a page in the back/forward cache should stay there though the others post, and come back to the same session', async () => {
    server.lifetime = 1.5;
    const [away, here] = [await open('away'), await open('here')];
    await start(away);
    await start(here);
    await until(async () => (await current(away)) !== null && (await current(away)) === (await current(here)));
    const left = server.asked.length;
    await away.evaluate("location.href = '/elsewhere'; 0");
    await until(async () => (await current(here)) === `T${String(left + 3)}`);
    await away.evaluate('history.back(); 0');
    await until(async () => (await current(away)) === (await current(here)));
    const told = await story(away);
    // One token more may have come while it left.
    expect(told.indexOf('back')).toBeLessThanOrEqual(left + 1);
    expect(told).toContain('back');
    expect(told).not.toContain(`T${String(left + 2)}`);
    expect(told).not.toContain('signedOut');
    expect(server.parallel).toBe(1);
    await Promise.all([away, here].map((tab) => tab.send('Page.close')));
  }, 30_000);
});
