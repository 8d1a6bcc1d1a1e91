import { readFileSync } from 'node:fs';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { StubServers } from '../examples/demoStubs.js';
import { folder, orders, ownFlags } from '../examples/demoSupport.js';
import { launch } from './chromium.js';
import { startLive, type LiveRun } from './live.js';

// The machine may be busy: everything here waits for what it wants to see, and for nothing else.
const PATIENCE = 30_000;
jest.setTimeout(90_000);

let browser: Browser;
let live: LiveRun;
beforeAll(async () => {
  browser = await launch();
  live = await startLive();
}, 300_000);
afterAll(async () => {
  await browser.close();
  await live.stop();
});

const wrongs: string[] = [];
async function open(options: BrowserContextOptions = {}, url = live.url): Promise<Page> {
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
}

const close = (page: Page) => page.context().close();
const press = (page: Page, name: string) => page.getByRole('button', { name }).click();
const counter = async (page: Page, lane: string, name: string) =>
  Number(await page.textContent(`.${lane} [data-counter=${name}]`));
const rows = (page: Page) =>
  page.$$eval('tbody tr', (all) =>
    (all as HTMLTableRowElement[]).map(({ cells }) => [...cells].slice(1).map(({ textContent }) => textContent)),
  );
/** Waits until the table has a row with these texts, in this order. */
const row = (page: Page, ...texts: string[]) =>
  page.waitForFunction(
    (wanted) =>
      [...document.querySelectorAll('tbody tr')].some(({ textContent }) => new RegExp(wanted).test(textContent)),
    texts.join('.*'),
  );
/** The same, but later than the row with the text `marker`: the table has the latest first. */
const rowSince = (page: Page, marker: string, ...texts: string[]) =>
  page.waitForFunction(
    ([after = '', wanted = '']) => {
      const all = [...document.querySelectorAll('tbody tr')].map(({ textContent }) => textContent);
      const then = all.findIndex((text) => text.includes(after));
      return all.slice(0, Math.max(0, then)).some((text) => new RegExp(wanted).test(text));
    },
    [marker, texts.join('.*')],
  );

describe('the live page', () => {
  let page: Page;
  beforeAll(async () => {
    page = await open();
    await page.click('summary');
  });
  afterAll(() => close(page));

  it('should draw tokens, their lives and the requests that rode on them, for both clients', async () => {
    for (const lane of ['ours', 'theirs']) {
      await page.waitForSelector(`.${lane} .requests .accepted.hue-0`);
      expect(await page.textContent(`.${lane} .marbles g text`)).toMatch(/^[A-Z]$/);
      await page.waitForFunction(
        (one) => Number(document.querySelector(`.${one} [data-counter=accepted]`)?.textContent) > 3,
        lane,
      );
    }
    await row(page, 'rx-fresh-token', 'Token A', 'lives 10 s');
    // Renewed in the background: nobody was refused.
    await row(page, 'rx-fresh-token', 'Token B', 'renewed in the background');
    expect(await counter(page, 'ours', 'refused')).toBe(0);
    // The status quo finds out by a refusal.
    await row(page, 'Status quo', 'Request refused \\(403\\)', 'A');
  });

  it('"Revoke token" should be healed by one refresh, and show in the picture, the table and the words', async () => {
    const renewed = await counter(page, 'ours', 'tokens');
    // Just after a renewal: a token that is renewed anyway while it is revoked would not show as refused.
    await page.waitForFunction(
      (last) => Number(document.querySelector('.ours [data-counter=tokens]')?.textContent) > last,
      renewed,
    );
    const before = await counter(page, 'ours', 'tokens');
    await press(page, 'Revoke token');
    await page.waitForSelector('.ours .labels text:text-matches("[A-Z] revoked")');
    await page.waitForSelector('.ours .requests .refused .wrong');
    await page.waitForSelector('.ours .marbles g.refused .wrong');
    await row(page, 'You', 'Token revoked', 'refuses it from here on');
    await rowSince(page, 'Token revoked', 'rx-fresh-token', 'Request refused \\(403\\)');
    await rowSince(page, 'Token revoked', 'rx-fresh-token', 'Token [A-Z]', 'fetched after a refusal');
    await page.waitForSelector(
      '#said:text-matches("Since then, rx-fresh-token: [1-9]\\\\d* refused, [12] tokens? fetched")',
    );
    expect(await counter(page, 'ours', 'tokens')).toBeGreaterThan(before);
  });

  it('"Break token endpoint" should show attempts in vain, and then a token', async () => {
    await press(page, 'Break it longer');
    await page.waitForSelector('.ours .bands .outage');
    await page.waitForSelector('.theirs .attempts .wrong, .ours .attempts .wrong');
    await row(page, 'No token', 'answered 503');
    await rowSince(page, 'No token', 'Token [A-Z]', 'lives 10 s');
    expect(await page.textContent('#said')).toContain('The token endpoint is down for 8 s.');
  });

  it('"Forbid" should say "Allow" until it is allowed again, and cost the library a refresh where the status quo storms', async () => {
    await press(page, 'Forbid /invoices');
    await page.waitForSelector('[data-press=forbid][data-on=true]');
    const fetched = [await counter(page, 'ours', 'tokens'), await counter(page, 'theirs', 'tokens')] as const;
    await page.waitForFunction(
      (before) => Number(document.querySelector('.theirs [data-counter=tokens]')?.textContent) >= before + 5,
      fetched[1],
    );
    await row(page, 'rx-fresh-token', 'Repeat refused \\(403\\)', '/invoices');
    // At most one forced refresh in a token's life, where the status quo has one for each request.
    const ours = (await counter(page, 'ours', 'tokens')) - fetched[0];
    expect(ours).toBeLessThan((await counter(page, 'theirs', 'tokens')) - fetched[1]);
    await press(page, 'Allow /invoices');
    await page.waitForSelector('[data-press=forbid][data-on=false]');
    await row(page, 'You', '/invoices forbidden');
  });

  it('"Put to sleep" should jump the clock: the library sends nothing with the token that ended meanwhile', async () => {
    const before = await counter(page, 'ours', 'refused');
    await press(page, 'Put to sleep');
    await page.waitForSelector('.ours .bands .sleep');
    await row(page, 'You', 'Asleep 12 s');
    await rowSince(page, 'Asleep 12 s', 'rx-fresh-token', 'Token [A-Z]', 'fetched after the end of the one before');
    await rowSince(page, 'Asleep 12 s', 'Status quo', 'Request refused');
    expect(await counter(page, 'ours', 'refused')).toBe(before);
  });

  it('should tell by pointer what a mark means', async () => {
    await press(page, 'Pause');
    const marble = await page.locator('.ours .marbles circle').last().boundingBox();
    await page.mouse.move(marble!.x + 12, marble!.y + 12);
    await page.waitForSelector('#tip:text-matches("Token [A-Z].*lives 10 s")');
    await page.mouse.move(2, 2);
    await page.waitForSelector('#tip', { state: 'hidden' });
    // At the lower edge of the window there is no room below the mark.
    const size = page.viewportSize()!;
    await page.setViewportSize({ ...size, height: Math.round(marble!.y + 40) });
    await page.mouse.move(marble!.x + 12, marble!.y + 12);
    const box = await page.locator('#tip').boundingBox();
    expect(box!.y + box!.height).toBeLessThan(marble!.y + 12);
    await page.mouse.move(2, 2);
    await page.setViewportSize(size);
    await press(page, 'Go on');
  });

  it('should stand still when paused, and go on', async () => {
    const place = () => page.getAttribute('.ours .strip', 'transform');
    await press(page, 'Pause');
    await page.waitForTimeout(100);
    const at = await place();
    const ticks = await page.locator('.ours .requests .tick').count();
    const accepted = await counter(page, 'ours', 'accepted');
    await page.waitForFunction(
      (before) => Number(document.querySelector('.ours [data-counter=accepted]')?.textContent) > before + 1,
      accepted,
    );
    expect(await place()).toBe(at);
    // What happens meanwhile is counted, but not yet drawn.
    expect(await page.locator('.ours .requests .tick').count()).toBe(ticks);
    // The table stands still too, and can be read: its rows are there, and its box does what it says.
    expect((await rows(page)).length).toBeGreaterThan(0);
    await page.check('#all-requests');
    await row(page, 'rx-fresh-token', 'Request accepted');
    await page.uncheck('#all-requests');
    await press(page, 'Go on');
    await page.waitForFunction(
      (before) => document.querySelector('.ours .strip')?.getAttribute('transform') !== before,
      at,
    );
  });

  it('should be usable with the keyboard alone, and speak of what it is at', async () => {
    await page.focus('[data-press=revoke]');
    const reached: (string | null)[] = [];
    for (let step = 0; step < 7; step += 1) {
      await page.keyboard.press('Tab');
      reached.push(
        await page.evaluate(
          () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? null,
        ),
      );
      expect(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).not.toBe('none');
    }
    expect(reached.slice(0, 6)).toEqual([
      'Break token endpoint 2 s',
      'Break it longer 8 s',
      'Forbid /invoices',
      'Cut connection',
      'Put to sleep',
      'Pause',
    ]);
    expect(reached[6]).toContain('Diagram of rx-fresh-token');
    await page.focus('.ours .stage');
    await page.keyboard.press('ArrowLeft');
    await page.waitForSelector('#tip', { state: 'visible' });
    const said = await page.textContent('#inspected');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    expect(said).toMatch(/^(Token|Request|Repeat|WebSocket)/);
    await page.keyboard.press('Escape');
    expect(await page.isVisible('#tip')).toBe(false);
  });

  it('should list every request when asked to', async () => {
    expect((await rows(page)).filter(([, what]) => what === 'Request accepted')).toEqual([]);
    await page.check('#all-requests');
    await row(page, 'rx-fresh-token', 'Request accepted', '/orders');
    await page.uncheck('#all-requests');
  });

  it('should know after a reload what happened before', async () => {
    const tokens = await counter(page, 'theirs', 'tokens');
    await page.reload();
    await page.waitForSelector('.ours .marbles g');
    expect(await counter(page, 'theirs', 'tokens')).toBeGreaterThanOrEqual(tokens);
    await page.click('summary');
    await row(page, 'You', 'Asleep 12 s');
  });

  it('should be told no secret', async () => {
    const text = await page.evaluate(async () => {
      const reader = (await fetch('/events')).body!.getReader();
      const { value } = await reader.read();
      const more = await reader.read();
      await reader.cancel();
      return new TextDecoder().decode(value) + new TextDecoder().decode(more.value);
    });
    expect(text).toContain('"type":"token"');
    // The demo's tokens are JWTs.
    expect(text + (await page.content())).not.toMatch(/eyJ|Bearer|Basic /);
    expect(live.output()).not.toMatch(/eyJ|Bearer|Basic /);
  });

  it('should have shown no error on the way', () => expect(wrongs).toEqual([]));
});

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  it.each([
    ['wide', 1_180],
    ['on a phone', 360],
    ['on a small phone', 320],
  ] as const)(
    '%s, axe should find no serious violation, and nothing should be wider than the screen',
    async (_, width) => {
      const page = await open({ colorScheme, viewport: { width, height: 800 } });
      await page.click('summary');
      await row(page, 'Status quo', 'Token [A-Z]', 'lives 10 s');
      await press(page, 'Forbid /invoices');
      await page.waitForSelector('[data-press=forbid][data-on=true]');
      await page.evaluate(axe.source);
      const { violations, passes } = await page.evaluate(() =>
        (globalThis as unknown as { axe: typeof axe }).axe.run(),
      );
      expect(
        violations
          .filter(({ impact }) => impact === 'serious' || impact === 'critical')
          .map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
      ).toEqual([]);
      expect(passes.map(({ id }) => id)).toContain('color-contrast');
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      // Nor anything cut off: neither the table's cells nor the counters.
      const [scrolled, ...overlaps] = await page.evaluate(() => {
        const table = document.querySelector('.scroll')!;
        const boxes = [...document.querySelectorAll('.ours dl > div > *')].map((element) => {
          const range = document.createRange();
          range.selectNodeContents(element);
          return range.getBoundingClientRect();
        });
        const over = boxes.some((a, i) =>
          boxes.some(
            (b, j) => i < j && a.left < b.right && b.left < a.right && a.top < b.bottom - 4 && b.top < a.bottom - 4,
          ),
        );
        return [table.scrollWidth - table.clientWidth, over];
      });
      expect([scrolled, overlaps]).toEqual([0, [false]]);
      await press(page, 'Allow /invoices');
      await close(page);
    },
  );
});

it('should tell by a tap what a mark means, until another is tapped', async () => {
  const page = await open({ hasTouch: true, isMobile: true, viewport: { width: 360, height: 800 } });
  await press(page, 'Pause');
  const marble = await page.locator('.ours .marbles circle').last().boundingBox();
  const stage = await page.locator('.ours .stage').boundingBox();
  await page.touchscreen.tap(marble!.x + 12, marble!.y + 12);
  await page.waitForSelector('#tip:text-matches("Token [A-Z].*lives 10 s")');
  await page.waitForTimeout(200);
  expect(await page.isVisible('#tip')).toBe(true);
  await page.touchscreen.tap(stage!.x + stage!.width - 4, stage!.y + 4);
  await page.waitForSelector('#tip', { state: 'hidden' });
  await close(page);
});

it('should move once a second for those who asked for less motion', async () => {
  const page = await open({ reducedMotion: 'reduce' });
  const moves = await page.evaluate(async () => {
    let count = 0;
    const strip = document.querySelector('.ours .strip')!;
    const observer = new MutationObserver((records) => (count += records.length));
    observer.observe(strip, { attributes: true, attributeFilter: ['transform'] });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    return count;
  });
  expect(moves).toBeGreaterThan(0);
  expect(moves).toBeLessThanOrEqual(4);
  await close(page);
});

describe('the server of the page', () => {
  it('should serve on loopback, to its own page only', async () => {
    const { host, origin } = new URL(live.url);
    expect(host).toMatch(/^127\.0\.0\.1:/);
    const post = (headers: Record<string, string>, name = 'revoke') =>
      fetch(`${live.url}press/${name}`, { method: 'POST', headers }).then(({ status }) => status);
    expect(await post({})).toBe(403);
    expect(await post({ origin: 'https://elsewhere.example' })).toBe(403);
    expect(await post({ origin }, 'constructor')).toBe(404);
    expect(await post({ origin })).toBe(204);
    const { headers } = await fetch(live.url);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('should be started by npm run live', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    expect(scripts.live).toBe('node --import ./scripts/dist.mjs examples/live/main.ts');
  });
});

describe("on the user's own servers", () => {
  const place = folder();
  afterAll(() => place.remove());
  let stub: StubServers;
  beforeEach(async () => {
    stub = await new StubServers().start();
  });
  afterEach(() => stub.stop());

  it('should send each record once, draw one lane, and leave the servers alone when a button is pressed', async () => {
    const flags = ownFlags(`${stub.origin}/token`, `${stub.origin}/orders`).map((flag) =>
      flag === 'DEMO_SECRET' ? 'LIVE_SECRET' : flag,
    );
    const run = await startLive(...flags, '--input', place.file(orders(2_000)), '--rate', '20');
    try {
      const page = await open({}, run.url);
      await page.click('summary');
      expect(await page.locator('.lane').count()).toBe(1);
      await row(page, 'Token A', 'lives 5 min');
      await press(page, 'Revoke token');
      await row(page, 'Token B', 'fetched after a refusal');
      await press(page, 'Forbid /orders');
      await page.waitForFunction(() => Number(document.querySelector('[data-counter=refused]')?.textContent) >= 4);
      expect(stub.tokens).toBeGreaterThanOrEqual(2);
      expect([...stub.counts().values()].every((times) => times === 1)).toBe(true);
      await close(page);
    } finally {
      expect(await run.stop()).toBe(143);
    }
    expect(run.output()).not.toContain('4711');
  });
});
