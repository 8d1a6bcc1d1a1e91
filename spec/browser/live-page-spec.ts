import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { close, press, row, useLivePages } from './livePages.js';

const pages = useLivePages();

const counter = async (page: Page, lane: string, name: string) =>
  Number(await page.textContent(`.${lane} [data-counter=${name}]`));
const rows = (page: Page) =>
  page.$$eval('tbody tr', (all) =>
    (all as HTMLTableRowElement[]).map(({ cells }) => [...cells].slice(1).map(({ textContent }) => textContent)),
  );
/** Waits for a row, as `row` does, but later than the row with the text `marker`: the table has the latest first. */
const rowSince = (page: Page, marker: string, ...texts: string[]) =>
  page.waitForFunction(
    ([after = '', wanted = '']) => {
      const all = [...document.querySelectorAll('tbody tr')].map(({ textContent }) => textContent);
      const then = all.findIndex((text) => text.includes(after));
      return all.slice(0, Math.max(0, then)).some((text) => new RegExp(wanted).test(text));
    },
    [marker, texts.join('.*')],
  );
/** Waits for the next token of the library: what is pressed then does not fall into a renewal. */
const afterRenewal = async (page: Page) => {
  const before = await counter(page, 'ours', 'tokens');
  await page.waitForFunction(
    (last) => Number(document.querySelector('.ours [data-counter=tokens]')?.textContent) > last,
    before,
  );
};

describe('the live page', () => {
  let page: Page;
  beforeAll(async () => {
    page = await pages.open();
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
    // A token that is renewed anyway while it is revoked would not show as refused.
    await afterRenewal(page);
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
    // A fetch that the sleep cuts is repeated for the reason for which it was begun, not "after the end".
    await afterRenewal(page);
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
    await page.focus('#pause');
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
      'Revoke token',
      'Break token endpoint 2 s',
      'Break it longer 8 s',
      'Forbid /invoices',
      'Cut connection',
      'Put to sleep',
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
    expect(pages.live().output()).not.toMatch(/eyJ|Bearer|Basic /);
  });

  it('should have shown no error on the way', () => expect(pages.wrongs).toEqual([]));
});

describe('the server of the page', () => {
  it('should serve on loopback, to its own page only', async () => {
    const { host, origin } = new URL(pages.live().url);
    expect(host).toMatch(/^127\.0\.0\.1:/);
    const post = (headers: Record<string, string>, name = 'revoke') =>
      fetch(`${pages.live().url}press/${name}`, { method: 'POST', headers }).then(({ status }) => status);
    expect(await post({})).toBe(403);
    expect(await post({ origin: 'https://elsewhere.example' })).toBe(403);
    expect(await post({ origin }, 'constructor')).toBe(404);
    expect(await post({ origin })).toBe(204);
    const { headers } = await fetch(pages.live().url);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('should be started by npm run live', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    expect(scripts.live).toBe('node --import ./scripts/dist.mjs examples/live/main.ts');
  });
});
