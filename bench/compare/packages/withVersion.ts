import { readFileSync } from 'node:fs';

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
};

/** A package and the version that is installed: package.json names each exactly. */
export const withVersion = (name: string): string => `${name} ${dependencies[name] ?? ''}`;
