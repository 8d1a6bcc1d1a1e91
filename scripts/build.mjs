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
const cjs = join(dist, 'cjs/oauth/endpoint');
const library = join(root, 'node_modules/oauth4webapi');
await build({
  entryPoints: [join(library, 'build/index.js')],
  outfile: join(cjs, 'oauth4webapi.js'),
  format: 'cjs',
  banner: { js: `/*!\n${await readFile(join(library, 'LICENSE.md'), 'utf8')}*/` },
});
for (const name of await readdir(cjs)) {
  if (name.endsWith('.js')) await replace(join(cjs, name), 'require("oauth4webapi")', 'require("./oauth4webapi.js")');
}

// Bundlers warn of a `require` whose argument is no literal. Only a Node without its fetch gets here.
const transport = join(dist, 'cjs/http/transport.js');
const require = "globalThis.process.getBuiltinModule('node:module').createRequire(__filename)";
if (!(await replace(transport, 'require(s)', `${require}(s)`))) throw new Error(`${transport} has no require(s)`);

/** In the file, everywhere. Returns whether it was there. */
async function replace(file, text, other) {
  const code = await readFile(file, 'utf8');
  await writeFile(file, code.replaceAll(text, other));
  return code.includes(text);
}
