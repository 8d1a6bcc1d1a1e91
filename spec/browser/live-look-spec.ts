import { StubServers } from '../examples/demoStubs.js';
import { folder, orders, ownFlags } from '../examples/demoSupport.js';
import { expectAccessible } from './accessible.js';
import { startLive } from './live.js';
import { close, press, row, useLivePages } from './livePages.js';

const pages = useLivePages();

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  it.each([
    ['wide', 1_180],
    ['on a phone', 360],
    ['on a small phone', 320],
  ] as const)(
    '%s, axe should find no serious violation, and nothing should be wider than the screen',
    async (_, width) => {
      const page = await pages.open({ colorScheme, viewport: { width, height: 800 }, reducedMotion: 'reduce' });
      await page.click('summary');
      await row(page, 'Status quo', 'Token [A-Z]', 'lives 10 s');
      await press(page, 'Forbid /invoices');
      await page.waitForSelector('[data-press=forbid][data-on=true]');
      await expectAccessible(page);
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
  const page = await pages.open({ hasTouch: true, isMobile: true, viewport: { width: 360, height: 800 } });
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
  const page = await pages.open({ reducedMotion: 'reduce' });
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
      const page = await pages.open({}, run.url);
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
