import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { slug } from 'github-slugger';
import { defineConfig } from 'vitepress';
import { checkLinks } from '../links.mjs';
import { manifest, repository, root } from '../project.mjs';

/** The place on the site of a page of the repository. */
const placeOf = (file) => (file === 'README.md' ? 'start.md' : file.replace(/^site\//, ''));

const groups = {
  Guide: [
    'README',
    'docs/stream',
    'docs/diagrams',
    'docs/options',
    'docs/http',
    'docs/errors',
    'docs/faq',
    'docs/from',
    'docs/compare',
    'docs/guarantees',
  ],
  Tokens: ['docs/oauth', 'docs/sessions', 'docs/pool', 'docs/fleet', 'docs/tabs', 'docs/file'],
  Clients: ['docs/recipes', 'docs/angular', 'docs/axios', 'docs/nest', 'docs/connect', 'docs/proxy'],
  Operation: ['docs/testing', 'docs/otel', 'docs/live', 'docs/runtimes'],
  Project: ['ARCHITECTURE', 'CHANGELOG', 'CONTRIBUTING', 'SECURITY'],
};
const named = Object.values(groups).flat();
const unnamed = readdirSync(join(root, 'docs'))
  .filter((file) => file.endsWith('.md'))
  .map((file) => `docs/${file.slice(0, -3)}`)
  .filter((page) => !named.includes(page));

function sidebarItem(page) {
  const [, title] = /^# (.+)$/m.exec(readFileSync(join(root, `${page}.md`), 'utf8'));
  return { text: page === 'README' ? 'Start' : title, link: `/${placeOf(`${page}.md`)}` };
}

/** Links are written for the repository. To a page, a link leads to its place on the site; to another file, to the repository. */
function siteLink(href, page) {
  if (/^([a-z]+:|[/#])/.test(href)) return href;
  const [path, fragment] = href.split('#');
  const target = join(dirname(page), path);
  if (!existsSync(target)) throw new Error(`${relative(root, page)} links to ${href}, which is not there.`);
  const file = relative(root, target);
  if (!file.endsWith('.md')) return `${repository}/${statSync(target).isDirectory() ? 'tree' : 'blob'}/main/${file}`;
  return `/${placeOf(file)}${fragment ? `#${fragment}` : ''}`;
}

/** GitHub chooses the picture by the system's colours, the site by its own switch. */
const PICTURE = /<picture>\s*<source[^>]* srcset="(.*?)">\s*<img alt="(.*?)" src="(.*?)">\s*<\/picture>/g;
const TWO_IMAGES = '<img class="dark-only" alt="$2" src="./$1"><img class="light-only" alt="$2" src="./$3">';

function forTheSite(md) {
  const { link_open, html_block } = md.renderer.rules;
  md.renderer.rules.link_open = (tokens, index, options, env, self) => {
    const token = tokens[index];
    token.attrSet('href', siteLink(token.attrGet('href'), env.realPath ?? env.path));
    return link_open(tokens, index, options, env, self);
  };
  md.renderer.rules.html_block = (...args) => html_block(...args).replace(PICTURE, TWO_IMAGES);
}

const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="#3451b2"/></svg>',
)}`;

export default defineConfig({
  title: manifest.name,
  description: manifest.description,
  lang: 'en',
  srcDir: root,
  srcExclude: ['!(docs|site)/**/*.md'],
  cacheDir: join(root, 'node_modules/.cache/vitepress'),
  rewrites: placeOf,
  buildEnd: checkLinks,
  head: [['link', { rel: 'icon', href: ICON }]],
  // The index of the search is larger than what Vite warns of.
  vite: { build: { chunkSizeWarningLimit: 2_000 } },
  markdown: {
    // A heading has the anchor that GitHub gives it.
    anchor: { slugify: slug },
    config: forTheSite,
    theme: { light: 'github-light-high-contrast', dark: 'github-dark' },
  },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/start', activeMatch: '^/(start|docs/(?!recipes|guarantees))' },
      { text: 'Recipes', link: '/docs/recipes' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
      { text: 'Guarantees', link: '/docs/guarantees' },
      { text: 'Changelog', link: '/CHANGELOG' },
    ],
    sidebar: {
      '/api/': JSON.parse(readFileSync(join(root, 'site/api/typedoc-sidebar.json'), 'utf8')),
      '/': Object.entries({ ...groups, Project: [...groups.Project, ...unnamed] }).map(([text, pages]) => ({
        text,
        items: pages.map(sidebarItem),
      })),
    },
    outline: [2, 3],
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: repository }],
  },
});
