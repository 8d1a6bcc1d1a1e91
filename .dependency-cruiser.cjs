// Which folder of src may import what, and that no imports go in a circle. `npm run lint` checks it; spec/lint-spec.ts plants
// an import for each rule. What a folder does not name here, it does not import.

/** The entry of rxjs. Neither rxjs/testing nor rxjs/webSocket, which not every application has. */
const rxjs = 'node_modules/rxjs/dist/[^/]+/index[.]';
const packaged = (name) => `node_modules/${name}/`;
const packages = (...names) => names.map(packaged);
const folder = (name) => `^src/${name}/`;
const folders = (...names) => names.map(folder);
const file = (name) => `^src/${name}[.]ts$`;
const files = (...names) => names.map(file);
/** Modules of Node, with and without `node:`. */
const node = (...names) => names.map((name) => `^(node:)?${name}$`);

/** What every folder may import, but for internal and answers. */
const common = [rxjs, ...folders('internal', 'answers'), file('errors')];
/** `may`: beside the folder itself. `types`: what it may import as types only. */
const borders = {
  internal: { may: [rxjs], types: node('fs'), why: 'internal loads in browsers: see files.ts.' },
  answers: {
    may: [rxjs, folder('internal'), file('errors')],
    types: [folder('token')],
    why: 'answers judges what servers said, and knows no stream.',
  },
  token: { may: common, why: 'The token knows neither the network nor the platform.' },
  http: { may: [...common, folder('token'), packaged('cross-fetch')] },
  oauth: {
    may: [...common, packaged('oauth4webapi'), file('token/decisions/lifetime')],
    types: [folder('token')],
    why: 'Fetching a token must not need a token, and so not http.',
  },
  testing: {
    may: [...common, folder('token')],
    types: node('[a-z/_]+'),
    why: 'testing loads in browsers: see server/nodeHttp.ts.',
  },
  connect: { may: [...common, ...folders('token', 'http'), packaged('eventsource-parser')] },
  pool: { may: [...common, folder('token')] },
  otel: {
    may: [...common, folder('token')],
    types: [packaged('@opentelemetry/api'), ...node('diagnostics_channel')],
    why: 'otel loads in browsers, and the meter is given.',
  },
  stores: { may: [...common, folder('token')] },
  file: { may: [...common, ...folders('token', 'stores'), ...node('crypto', 'fs', 'os', 'path')] },
  proxy: {
    may: [
      ...common,
      folder('token'),
      ...files('http/createFetch', 'http/destinations', 'file/lock'),
      ...node('[a-z/_]+'),
    ],
  },
  cli: { may: [...common, ...folders('token', 'oauth', 'proxy', 'file'), ...node('[a-z/_]+')] },
  redis: { may: [...common, ...folders('token', 'stores')] },
  tabs: { may: [...common, ...folders('token', 'stores')] },
  // Adapters translate for their framework. Of http they know where a token may go, how it is sent, copies of bodies.
  angular: {
    may: [
      ...common,
      folder('token'),
      ...files('http/authorization', 'http/destinations', 'http/redirect', 'http/requestBody'),
      ...packages('@angular/common', '@angular/core'),
    ],
  },
  axios: {
    may: [
      ...common,
      folder('token'),
      ...files('http/authorization', 'http/destinations', 'http/redirect', 'http/requestBody'),
      packaged('axios'),
    ],
  },
  nest: {
    may: [
      ...common,
      folder('token'),
      file('axios/attachToken'),
      ...packages('axios', '@nestjs/axios', '@nestjs/common', '@nestjs/core'),
    ],
  },
};

const bordersOf = ([name, { may, types = [], why = 'See the list in this file.' }]) => [
  {
    name: `${name}-imports`,
    severity: 'error',
    comment: why,
    from: { path: folder(name) },
    to: { pathNot: [folder(name), ...may, ...types] },
  },
  ...(types.length === 0
    ? []
    : [
        {
          name: `${name}-imports-types`,
          severity: 'error',
          comment: why,
          from: { path: folder(name) },
          to: { path: types, pathNot: may, dependencyTypesNot: ['type-only', 'type-import'] },
        },
      ]),
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...Object.entries(borders).flatMap(bordersOf),
    {
      name: 'decisions-are-pure',
      severity: 'error',
      comment: 'A decision reads what it is given. What runs, waits and tells others is in the folders beside.',
      from: { path: folder('token/decisions') },
      to: {
        path: [rxjs, folder('token')],
        pathNot: folder('token/decisions'),
        dependencyTypesNot: ['type-only', 'type-import'],
      },
    },
    {
      name: 'pipeline-imports',
      severity: 'error',
      comment: 'The pipeline gives its tokens to whoever subscribes, and knows no request.',
      from: { path: folder('token/pipeline') },
      to: { path: folder('token/requests') },
    },
    {
      name: 'folder-without-border',
      severity: 'error',
      comment: 'A new folder of src says in this file what it may import.',
      from: { path: '^src/', pathNot: [...folders(...Object.keys(borders)), ...files('index', 'errors')] },
      to: {},
    },
    {
      name: 'errors-imports',
      severity: 'error',
      comment: 'Everything imports errors.ts.',
      from: { path: file('errors') },
      to: { pathNot: folders('internal', 'answers') },
    },
    {
      name: 'root-exports',
      severity: 'error',
      comment: 'The root names what token, http and errors.ts export, and nothing else.',
      from: { path: file('index') },
      to: { pathNot: [...folders('token', 'http'), file('errors')] },
    },
    {
      name: 'no-index',
      severity: 'error',
      comment: 'Nothing imports an index.ts: import the file itself.',
      from: { path: '^src/' },
      to: { path: ['^src/index[.]ts$', '^src/[^/]+/index[.]ts$'] },
    },
    {
      name: 'cross-fetch-in-transport',
      severity: 'error',
      comment: 'Bundlers for browsers swap transport.ts, and leave cross-fetch out.',
      from: { path: '^src/', pathNot: file('http/transport') },
      to: { path: packaged('cross-fetch') },
    },
    {
      name: 'examples-by-name',
      severity: 'error',
      comment: 'Examples and benchmarks import the package by its name, as an application does.',
      from: { path: '^(examples|bench)/' },
      to: { path: '^(src|dist)/', dependencyTypesNot: ['aliased'] },
    },
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'What two files need goes to a third.',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^examples/angular/', '^bench/compare/packages/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
