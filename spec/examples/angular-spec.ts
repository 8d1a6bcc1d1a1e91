import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import type { DeskCounts } from '../../examples/angular/desk.js';
import { expectAccessible } from '../browser/accessible.js';
import { launch } from '../browser/chromium.js';
import { until } from '../until.js';

const root = join(__dirname, '../..');
const run = promisify(execFile);
const NODE = ['--import', './scripts/dist.mjs'];
/** The goal is 9.5 kB of transfer. What the guarantees cost today is more, and must not grow unnoticed. */
const GOAL = 9.5 * 1024;
const LIMIT = 22.75 * 1024;

let folder: string;
let desk: ChildProcess;
let browser: Browser;
const origins: Record<string, string> = {};

beforeAll(async () => {
  // Kept for the next run: 400 packages are slow to come, and slow to go.
  folder = join(tmpdir(), `order-desk-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`);
  await run(process.execPath, [...NODE, 'examples/angular/prepare.mjs', folder, '', 'zone', 'without'], {
    cwd: root,
    maxBuffer: 2 ** 24,
  });
  desk = spawn(
    process.execPath,
    [...NODE, 'examples/angular/start.ts', join(folder, 'dist/zoneless'), join(folder, 'dist/zone')],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const printed = await new Promise<string>((resolve) => {
    let text = '';
    desk.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.trim().split('\n').length === 2) resolve(text);
    });
  });
  const [zoneless = '', zone = ''] = printed.trim().split('\n');
  Object.assign(origins, { zoneless, 'zone.js': zone });
  browser = await launch();
}, 500_000);

afterAll(async () => {
  await browser.close();
  desk.kill();
});

interface Desk {
  readonly page: Page;
  readonly problems: string[];
  counts(): Promise<DeskCounts>;
  number(id: string): Promise<number>;
  close(): Promise<void>;
}

async function open(kind: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Desk> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 860 }, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(origins[kind]!);
  return {
    page,
    problems,
    counts: async () => (await (await fetch(`${origins[kind]!}/control/counts`)).json()) as DeskCounts,
    number: async (id) => Number(await page.textContent(`#${id}`)),
    close: () => context.close(),
  };
}

/** Stops the stream of orders and waits until none is on its way. */
async function settle({ page }: Desk): Promise<void> {
  if ((await page.getAttribute('#steady', 'aria-pressed')) === 'true') await page.click('#steady');
  await until(async () => !(await page.textContent('tbody'))?.includes('on its way'));
}

const toasts = ({ page }: Desk) => page.textContent('app-toasts ul');

/** For the documents: SCREENSHOTS=docs/images npx jest spec/examples/angular */
async function picture({ page }: Desk, name: string): Promise<void> {
  const target = process.env.SCREENSHOTS;
  if (target !== undefined) await page.screenshot({ path: join(root, target, `${name}.png`) });
}

/** The same by both builds at once. */
const both = (walk: (it: Desk, kind: string) => Promise<void>) => async () => {
  await Promise.all(
    ['zoneless', 'zone.js'].map(async (kind) => {
      const it = await open(kind);
      try {
        await walk(it, kind);
        expect(it.problems).toEqual([]);
      } finally {
        await it.close();
      }
    }),
  );
};

describe('the order desk, zoneless and with zone.js', () => {
  it(
    'should post through five token changes without a refusal on the wire',
    both(async (it, kind) => {
      expect(await it.page.evaluate('typeof Zone')).toBe(kind === 'zoneless' ? 'undefined' : 'function');
      await it.page.click('#steady');
      await until(async () => (await it.counts()).tokens >= 6, 60_000);
      if (kind === 'zoneless') await picture(it, 'order-desk');
      await settle(it);
      const { answers, stored, duplicates } = await it.counts();
      expect(answers).toEqual({ 201: stored });
      expect(duplicates).toBe(0);
      expect([await it.number('delivered'), await it.number('failed')]).toEqual([stored, 0]);
      // No toast for a renewal that went well: only after one that was late, as on a machine that does too much.
      const told = (await toasts(it)) ?? '';
      expect(told.split('Renewed')).toHaveLength(told.split('ended without a successor').length);
      expect(await it.page.getAttribute('app-token-ring svg', 'aria-label')).toMatch(/^Token \w{8}, lives 5 seconds$/);
      expect(it.problems).toEqual([]);
    }),
    90_000,
  );

  it(
    'should get over a revocation, by clicking',
    both(async (it) => {
      const before = await it.counts();
      await it.page.click('#steady');
      await until(async () => (await it.number('delivered')) > 2);
      await it.page.click('#revoke');
      await until(async () => (await toasts(it))?.includes('was refused: fetching another') === true);
      expect((await it.counts()).answers[401]).toBeGreaterThan(0);
      await settle(it);
      const after = await it.counts();
      expect(await it.number('failed')).toBe(0);
      expect(after.duplicates).toBe(0);
      expect(after.stored - before.stored).toBe(await it.number('delivered'));
    }),
    60_000,
  );

  it(
    'should get over an outage of the token endpoint, by clicking',
    both(async (it, kind) => {
      await it.page.click('#place');
      await until(async () => (await it.number('delivered')) === 1);
      const refused = (await it.counts()).answers[403];
      await it.page.click('#break');
      await it.page.click('#steady');
      await until(async () => (await toasts(it))?.includes('The renewal failed') === true);
      if (kind === 'zoneless') await picture(it, 'order-desk-outage');
      await until(async () => !(await it.page.isDisabled('#break')));
      await until(async () => (await toasts(it))?.includes('Renewed') === true);
      await settle(it);
      expect(await it.number('failed')).toBe(0);
      expect((await it.counts()).answers[403]).toBe(refused);
    }),
    60_000,
  );

  it(
    'should sign out and in again, by clicking',
    both(async (it) => {
      await it.page.click('#place');
      await until(async () => (await it.number('delivered')) === 1);
      await it.page.click('#sign-out');
      await until(async () => (await it.page.textContent('.middle'))?.includes('no token') === true);
      const { stored, issued } = await it.counts();
      expect(await it.page.isDisabled('#place')).toBe(true);
      await it.page.focus('#quantity');
      await it.page.keyboard.press('Enter');
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await it.number('failed')).toBe(0);
      expect(await it.counts()).toMatchObject({ stored, issued });
      await it.page.click('#sign-in');
      await it.page.waitForSelector('#sign-out');
      await it.page.click('#place');
      await until(async () => (await it.number('delivered')) === 1);
    }),
    60_000,
  );
});

describe('the order desk', () => {
  it.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['phone', { colorScheme: 'dark', viewport: { width: 390, height: 844 } }],
    ['small-phone', { colorScheme: 'light', viewport: { width: 320, height: 700 } }],
  ] as const)(
    'should have no serious fault of accessibility: %s',
    async (name, options) => {
      const it = await open('zoneless', options);
      await it.page.click('#steady');
      await until(async () => (await it.number('delivered')) > 8);
      if (name !== 'small-phone') await picture(it, `order-desk-${name}`);
      await expectAccessible(it.page);
      expect(await it.page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      await it.close();
    },
    60_000,
  );

  it('should be reached by the keyboard alone', async () => {
    const it = await open('zoneless');
    await it.page.focus('#item');
    for (const id of ['quantity', 'place', 'steady']) {
      await it.page.keyboard.press('Tab');
      expect(await it.page.evaluate('document.activeElement.id')).toBe(id);
    }
    await it.page.focus('#quantity');
    await it.page.keyboard.press('Enter');
    await until(async () => (await it.number('delivered')) === 1);
    await it.close();
  }, 30_000);

  it('should not grow by more than its limit through the library', () => {
    const bytes = (build: string, pack: (content: Buffer) => Buffer) => {
      const dist = join(folder, 'dist', build);
      return readdirSync(dist)
        .filter((name) => name.endsWith('.js'))
        .reduce((sum, name) => sum + pack(readFileSync(join(dist, name))).length, 0);
    };
    const added = (pack: (content: Buffer) => Buffer) => bytes('zoneless', pack) - bytes('without', pack);
    const gzip = added((content) => gzipSync(content, { level: 9 }));
    const brotli = added((content) => brotliCompressSync(content));
    console.info(
      `the library adds ${String(gzip)} bytes of transfer (gzip), ${String(brotli)} (brotli); limit ${String(LIMIT)}, goal ${String(GOAL)}`,
    );
    expect(gzip).toBeLessThanOrEqual(LIMIT);
    expect(brotli).toBeGreaterThan(1000);
  });
});
