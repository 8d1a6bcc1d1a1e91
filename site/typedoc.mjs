// The API pages, from the comments in src: site/api/<entry>/<kind>/<name>.md.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Comment, Converter, ReflectionKind } from 'typedoc';
import { manifest, root } from './project.mjs';

/** The root entry is called like the package. */
function nameRootEntry(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const entry of project.children) entry.name = entry.name.replace(/^index$/, manifest.name);
  });
}

/** Comments name errors that their file does not import, and JavaScript's own: `{@link TokenStoreError}`, `{@link !TypeError}`. */
function linkErrors(app) {
  app.converter.addUnknownSymbolResolver(({ symbolReference }, { project }) => {
    const name = symbolReference?.path?.map(({ path }) => path).join('.') ?? '';
    const target = project.getChildByName([manifest.name, name]);
    if (target) return { target };
    return name in globalThis ? { target: `${mdn}/${name}`, caption: name } : undefined;
  });
}

/** The first line of a file says what the file is for. TypeDoc would show it at the first export without a comment. */
function dropFirstLines(app) {
  const src = join(root, 'src');
  const files = readdirSync(src, { recursive: true }).filter((path) => path.endsWith('.ts'));
  const firstLines = files.map((path) => readFileSync(join(src, path), 'utf8').split('\n', 1)[0]);
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of project.getReflectionsByKind(ReflectionKind.All)) {
      const text = Comment.combineDisplayParts(reflection.comment?.summary);
      if (firstLines.includes(`/** ${text} */`)) delete reflection.comment;
    }
  });
}

const mdn = 'https://developer.mozilla.org/docs/Web/JavaScript/Reference/Global_Objects';

/** @type {import('typedoc').TypeDocOptions} */
export default {
  plugin: [
    'typedoc-plugin-markdown',
    'typedoc-vitepress-theme',
    'typedoc-plugin-missing-exports',
    nameRootEntry,
    linkErrors,
    dropFirstLines,
  ],
  entryPoints: [join(root, 'src/index.ts'), join(root, 'src/*/index.ts')],
  sortEntryPoints: false,
  tsconfig: join(root, 'tsconfig.esm.json'),
  out: join(root, 'site/api'),
  docsRoot: join(root, 'site'),
  router: 'member',
  readme: 'none',
  excludeExternals: true,
  internalModule: 'not exported',
  navigation: { includeGroups: false },
  kindSortOrder: ['Function', 'Variable', 'Interface', 'TypeAlias', 'Class', 'Module'],
  groupOrder: ['Functions', 'Variables', 'Interfaces', 'Type Aliases', 'Classes', 'Modules'],
  hideBreadcrumbs: true,
  expandParameters: true,
  parametersFormat: 'table',
  pageTitleTemplates: {
    index: 'API',
    module: ({ name }) => (manifest.exports[`./${name}`] ? `${manifest.name}/${name}` : name),
  },
  disableSources: true,
  // `npm run types` checks the code.
  skipErrorChecking: true,
  treatWarningsAsErrors: true,
};
