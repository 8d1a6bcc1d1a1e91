// Angular's packages are compiled in part; out of a build of its own, the compiler does the rest.
import '@angular/compiler';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '..');
const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));
const names = read('spec/publicNames.json') as Record<string, string[]>;
const {
  exports: entries,
  peerDependencies,
  peerDependenciesMeta,
} = read('package.json') as Record<'exports' | 'peerDependencies' | 'peerDependenciesMeta', Record<string, unknown>>;

it('should list every entry point of the package', () => {
  expect(Object.keys(names).sort()).toEqual(
    Object.keys(entries)
      .filter((entry) => entry !== './package.json')
      .sort(),
  );
});

it.each(Object.entries(names))('should export from %s what is listed, and nothing else', async (entry, listed) => {
  const module = (await import(join(root, 'src', entry, 'index.ts'))) as Record<string, unknown>;
  expect(
    Object.keys(module)
      .filter((name) => name !== '__esModule')
      .sort(),
  ).toEqual([...listed].sort());
  for (const name of listed) expect(module[name]).toBeDefined();
});

// Projects that began with Angular 14 or 15 have 7.5.
it('should take RxJS 7.5, and what is later', () => {
  expect(peerDependencies.rxjs).toBe('^7.5.0');
});

// npm refuses to install a package beside an older version of an optional peer, whichever entry is used.
it('should take any version of its optional peers', () => {
  const optional = Object.keys(peerDependenciesMeta);
  expect(optional).toContain('axios');
  expect(optional.map((name) => [name, peerDependencies[name]])).toEqual(optional.map((name) => [name, '*']));
});
