import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ORIGIN = 'http://site';

/** What the pattern's group matches in a page. */
const all = (html, pattern) => [...html.matchAll(pattern)].map(([, match]) => match);

/** VitePress looks for the pages that texts link to. This looks for pictures, headings, and what menus link to. */
export function checkLinks({ outDir, site }) {
  const files = readdirSync(outDir, { recursive: true }).map((file) => file.replaceAll('\\', '/'));
  const pages = files
    .filter((file) => file.endsWith('.html'))
    .map((file) => ({ url: site.base + file, html: readFileSync(join(outDir, file), 'utf8') }));
  const urls = new Set(files.map((file) => site.base + file));
  const ids = new Map(pages.map(({ url, html }) => [url, all(html, / id="(.+?)"/g)]));

  const isDead = ({ origin, pathname, hash }) => {
    if (origin !== ORIGIN) return false;
    const url = decodeURI(pathname).replace(/\/$/, '/index.html');
    return !urls.has(url) || (hash !== '' && !ids.get(url)?.includes(decodeURIComponent(hash.slice(1))));
  };
  const dead = pages.flatMap(({ url, html }) =>
    all(html, / (?:href|src)="(.+?)"/g)
      .filter((link) => isDead(new URL(link, ORIGIN + url)))
      .map((link) => `${url}: ${link}`),
  );
  if (dead.length > 0) throw new Error(`Dead links:\n${dead.join('\n')}`);
}
