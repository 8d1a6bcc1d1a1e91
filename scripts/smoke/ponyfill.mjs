import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { run } from './checks.mjs';

/** Where the platform has no fetch, cross-fetch is found, and sends. */
const USE = `
for (const name of ['fetch', 'Headers', 'Request', 'Response']) delete globalThis[name];
const token$ = createTokenStream(() => [{ access_token: 'T1', expires_in: 60 }]);
const server = createServer((request, response) => response.end(request.headers.authorization));
server.listen(0, '127.0.0.1', () => {
  const baseUrl = 'http://127.0.0.1:' + server.address().port;
  createFetch(token$, { baseUrl })('/')
    .then((response) => response.text())
    .then((text) => {
      console.log(text);
      server.closeAllConnections();
      server.close();
    });
});
`;
const importing = (names, from) => `import { ${names} } from '${from}';\n`;
const requiring = (names, from) => `const { ${names} } = require('${from}');\n`;

export async function checkPonyfill(folder, runtime) {
  for (const [file, load] of Object.entries({ 'ponyfill.mjs': importing, 'ponyfill.cjs': requiring })) {
    const library = load('createTokenStream, createFetch', 'rx-fresh-token');
    writeFileSync(join(folder, file), load('createServer', 'node:http') + library + USE);
    const told = (await run(folder, runtime, file)).trim();
    if (told !== 'Bearer T1') throw new Error(`${file}: ${told}`);
    await checkBundle({ resolveDir: folder, contents: `${library}console.log(createTokenStream, createFetch);\n` });
  }
}

/** For no platform in particular: then esbuild, like others, cannot bundle what cross-fetch needs. */
async function checkBundle(stdin) {
  const options = { bundle: true, write: false, platform: 'neutral', metafile: true, logLevel: 'silent' };
  const { warnings, metafile } = await build({ stdin, ...options });
  const followed = Object.keys(metafile.inputs).filter((input) => /(cross|node)-fetch/.test(input));
  const problems = [...warnings.map(({ text }) => text), ...followed];
  if (problems.length > 0) throw new Error(`a bundle: ${problems.join(', ')}`);
}
