// All specs that watch over what is mutated, as one, so that a mutant costs the loading of one module graph and not of
// thirty. Small ones first: they notice most.
const { describe } = require('@jest/globals');
const { readdirSync, statSync } = require('node:fs');
const { join } = require('node:path');

// Enough of the model to notice what the examples do not: 300 histories, since this file has half of them.
process.env.MODEL_RUNS ??= '600';

const specs = ['token', 'internal', 'guarantees', 'http']
  .flatMap((folder) => readdirSync(join(__dirname, '..', folder)).map((file) => join(__dirname, '..', folder, file)))
  .filter((file) => file.endsWith('-spec.ts'))
  .sort((a, b) => statSync(a).size - statSync(b).size);

specs.push(join(__dirname, '../model/model-spec.ts'));

for (const spec of specs) describe(spec.slice(join(__dirname, '..').length + 1), () => void require(spec));
