import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root, runNode, tsc } from './run.mjs';

const dist = join(root, 'dist');
const formats = { esm: 'module', cjs: 'commonjs' };

await rm(dist, { recursive: true, force: true });

const codes = await Promise.all(Object.keys(formats).map((format) => runNode([tsc, '-p', `tsconfig.${format}.json`])));
if (codes.some((code) => code !== 0)) process.exit(1);

for (const [format, type] of Object.entries(formats)) {
  const browser = { './http/transport.js': './http/transport.browser.js' };
  for (const file of Object.entries(browser).flat()) {
    if (!existsSync(join(dist, format, file)))
      throw new Error(`dist/${format}/${file} is named in the browser map, but was not built`);
  }
  // The nearest package.json wins, so what the root's says for bundlers is repeated here.
  const manifest = { type, sideEffects: false, browser };
  await writeFile(join(dist, format, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

// oauth4webapi is an ES module. Jest and AWS Lambda cannot require one, so CommonJS has a copy of it.
const cjs = join(dist, 'cjs/oauth');
const library = join(root, 'node_modules/oauth4webapi');
await build({
  entryPoints: [join(library, 'build/index.js')],
  outfile: join(cjs, 'oauth4webapi.js'),
  format: 'cjs',
  banner: { js: `/*!\n${await readFile(join(library, 'LICENSE.md'), 'utf8')}*/` },
});
for (const name of await readdir(cjs)) {
  if (!name.endsWith('.js')) continue;
  const code = await readFile(join(cjs, name), 'utf8');
  await writeFile(join(cjs, name), code.replaceAll('require("oauth4webapi")', 'require("./oauth4webapi.js")'));
}
