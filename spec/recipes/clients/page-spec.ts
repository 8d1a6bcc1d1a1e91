import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const page = readFileSync(join(__dirname, '../../../docs/recipes.md'), 'utf8');
const recipes = readdirSync(__dirname).filter((name) => name.endsWith('.recipe.ts'));

it.each(recipes)('docs/recipes.md should show the very code of %s', (name) => {
  expect(page).toContain(`\`\`\`typescript\n${readFileSync(join(__dirname, name), 'utf8')}\`\`\``);
});
