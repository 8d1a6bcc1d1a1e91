// Reads [{ filePath, code }] from stdin and writes, for each, the sorted ids of the rules it breaks.
// A process of its own, because Jest's sandbox cannot load ESLint's configuration, which is an ES module.
import { text } from 'node:stream/consumers';
import { ESLint } from 'eslint';

const boundaries = /^(?:@typescript-eslint\/)?no-restricted-|^max-lines/;
const linter = (chosen, parserOptions) =>
  new ESLint({
    ruleFilter: ({ ruleId }) => chosen(ruleId),
    overrideConfig: { languageOptions: { parserOptions } },
  });
const named = linter((id) => boundaries.test(id), { project: null });
// The sources alone are read sooner than the whole repository. In a "single run" the parser would read the file on the
// disk instead of the snippet.
const typed = linter((id) => !boundaries.test(id), {
  project: './tsconfig.esm.json',
  disallowAutomaticSingleRunInference: true,
});

async function rulesBroken({ filePath, code, types = false }) {
  const [result] = await (types ? typed : named).lintText(code, { filePath });
  return [...new Set(result.messages.map(({ ruleId, message }) => ruleId ?? message))].sort();
}

const snippets = JSON.parse(await text(process.stdin));
const broken = [];
for (const snippet of snippets) broken.push(await rulesBroken(snippet));
process.stdout.write(JSON.stringify(broken));
