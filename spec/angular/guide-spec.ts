import { initTestBed } from './support.js';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DOCUMENT } from '@angular/common';
import { provideLocationMocks } from '@angular/common/testing';
import type { ApplicationConfig } from '@angular/core';
import { provideRouter } from '@angular/router';
import { runBlock } from '../runBlock.js';

initTestBed();

const guide = readFileSync(resolve(__dirname, '../../docs/angular.md'), 'utf8');
const blocks = [...guide.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code ?? '');
const tests = blocks.filter((code) => /^test[.(]/m.test(code));

/** What a block of the guide exports. */
function exported<T>(name: string): T {
  const exports: Record<string, T> = {};
  runBlock(blocks.find((code) => code.includes(`export const ${name}`)) ?? '', { require, exports });
  return exports[name] as T;
}

it('should have two tests in the guide', () => {
  expect(tests).toHaveLength(2);
});

describe("the guide's tests", () => {
  const { providers } = exported<ApplicationConfig>('appConfig');
  // Without a DOM, the router needs more.
  const document = { provide: DOCUMENT, useValue: {} };
  const appConfig = { providers: [...providers, document, provideRouter([]), provideLocationMocks()] };
  const authGuard = exported<unknown>('authGuard');
  for (const code of tests) runBlock(code, { require, exports: {}, test, expect, appConfig, authGuard });
});
