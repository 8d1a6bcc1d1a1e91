import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expectAccessible } from './browser/accessible.js';
import { launch } from './browser/chromium.js';

const root = join(__dirname, '..');
const site = join(root, 'site/.vitepress/dist');
const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));
const { repository } = read('package.json') as { repository: { url: string } };
const publicNames = Object.entries(read('spec/publicNames.json') as Record<string, string[]>);

if (!existsSync(join(site, 'index.html'))) throw new Error('The site is not built: run "npm run docs" first.');

let server: Server;
let browser: Browser;
let url: string;
beforeAll(async () => {
  server = express().use(express.static(site)).listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await launch();
}, 300_000);
afterAll(async () => {
  await browser.close();
  server.closeAllConnections();
  server.close();
});

const errors: string[] = [];
beforeEach(() => (errors.length = 0));
async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${message.text()} ${message.location().url}`);
  });
  await page.goto(url + path);
  // The page is HTML first. It has its buttons once Vue has mounted on it.
  await page.waitForFunction(() => '__vue_app__' in document.querySelector('#app')!);
  return page;
}
const close = (page: Page) => page.context().close();

const HOME = '/';
const GUIDE = '/docs/live.html';
const API = '/api/rx-fresh-token/functions/takeToken.html';

describe.each([
  ['light', 1_280],
  ['dark', 1_280],
  ['light', 360],
] as const)('in %s, %s px wide', (colorScheme, width) => {
  it.each([HOME, GUIDE, API])('%s should be free of errors, broken pictures and serious axe findings', async (path) => {
    const page = await open(path, { colorScheme, viewport: { width, height: 800 } });
    const broken = await page.$$eval('img', (images) =>
      images.filter(({ complete, naturalWidth }) => !complete || naturalWidth === 0).map(({ src }) => src),
    );
    expect(broken).toEqual([]);
    await expectAccessible(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(errors).toEqual([]);
    await close(page);
  });
});

it.each(['light', 'dark'] as const)(
  'in %s, the first picture should be the live page in these colours',
  async (colorScheme) => {
    const page = await open(HOME, { colorScheme });
    expect(await page.locator('img:visible').first().getAttribute('src')).toContain(`live-${colorScheme}`);
    await close(page);
  },
);

describe('the search', () => {
  it.each([1_280, 360])('should find takeToken, %s px wide', async (width) => {
    const page = await open(HOME, { viewport: { width, height: 800 } });
    await page.getByRole('button', { name: 'Search' }).first().click();
    await page.fill('#localsearch-input', 'takeToken');
    await page.locator('.results a', { hasText: 'Function: takeToken()' }).first().click();
    await page.waitForURL(`${url}${API}*`);
    await page.waitForSelector('h1:text("takeToken()")');
    expect(errors).toEqual([]);
    await close(page);
  });
});

describe('the links', () => {
  it('should lead to the pages of the project', async () => {
    const page = await open('/start.html');
    for (const name of ['Architecture', 'Changelog', 'Guarantees', 'Recipes']) {
      await page.locator('aside').getByRole('link', { name, exact: true }).click();
      await page.waitForFunction((title) => document.querySelector('h1')?.textContent.startsWith(title), name);
    }
    await close(page);
  });

  it('should lead to the repository for a file that is no page, and to the start for the README', async () => {
    const guide = await open('/docs/oauth.html');
    const source = repository.url.replace(/^git\+|\.git$/g, '');
    expect(await guide.getAttribute('a[href$="client-credentials.ts"]', 'href')).toBe(
      `${source}/blob/main/examples/client-credentials.ts`,
    );
    await close(guide);
    const guarantees = await open('/docs/guarantees.html');
    expect(await guarantees.getAttribute('main a:text-is("README")', 'href')).toBe('/start.html');
    await close(guarantees);
  });
});

it.each(publicNames)('the API should list each public name of %s', (entry, names) => {
  const folder = entry === '.' ? 'rx-fresh-token' : entry.slice(2);
  // The sidebar names all entries: the page itself counts.
  const [, page = ''] = readFileSync(join(site, 'api', folder, 'index.html'), 'utf8').split('<main');
  expect(names.filter((name) => !page.includes(`>${name}</a>`))).toEqual([]);
});

it('should say nothing about the machine that built the site', () => {
  const files = (readdirSync(site, { recursive: true }) as string[]).filter((file) => /\.(html|js|json)$/.test(file));
  expect(files.filter((file) => readFileSync(join(site, file), 'utf8').includes(root))).toEqual([]);
});
