// llms.txt (what there is, and where) and llms-full.txt (all of it), for programs that read documents. See llmstxt.org.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.mjs';

const read = (page) => readFileSync(join(root, page), 'utf8');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'ARCHITECTURE.md',
  'CHANGELOG.md',
];
const titleOf = (page) => /^# (.*)$/m.exec(read(page))?.[1] ?? page;
const [title, summary] = read('README.md').split('\n\n');

writeFileSync(
  join(root, 'llms.txt'),
  `${title}\n\n> ${summary}\n\n## Documents\n\n${pages.map((page) => `- [${titleOf(page)}](${page})`).join('\n')}\n`,
);
writeFileSync(join(root, 'llms-full.txt'), pages.map((page) => `<!-- ${page} -->\n\n${read(page)}`).join('\n\n'));
