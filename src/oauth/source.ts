import { firstValueFrom, from, lastValueFrom, type ObservableInput } from 'rxjs';
import type { SourceHooks } from '../token/proof.js';
import type { TokenSource } from '../token/types.js';

/** A source that carries hooks where nobody stumbles on them. */
export function withHooks(source: TokenSource, hooks: SourceHooks): TokenSource {
  for (const key of Object.getOwnPropertySymbols(hooks)) Object.defineProperty(source, key, { value: Reflect.get(hooks, key) });
  return source;
}

/** A string, or a function that gives the string of the moment; its first value counts. */
export type Supplied = string | (() => ObservableInput<string> | string);

/** Checks an option of that kind. Never quotes it. */
export function checkSupplied(name: string, value: unknown): void {
  if (typeof value === 'function' || (typeof value === 'string' && value !== '')) return;
  throw new TypeError(`option "${name}" must be a string that is not empty, or a function that gives one, got ${value === '' ? 'an empty string' : typeof value}`);
}

export async function supplied(name: string, value: Supplied): Promise<string> {
  const given = typeof value === 'function' ? value() : value;
  // A string is an ObservableInput too: of its characters.
  const text: unknown = typeof given === 'string' ? given : await firstValueFrom(from(given), { defaultValue: undefined });
  if (typeof text !== 'string' || text === '') throw new TypeError(`option "${name}" gave no string, or an empty one`);
  return text;
}

/** Waits for what a callback returned, whatever it is. */
export async function finished(result: unknown): Promise<void> {
  if (typeof result === 'object' && result !== null) await lastValueFrom(from(result as ObservableInput<unknown>), { defaultValue: undefined });
}
