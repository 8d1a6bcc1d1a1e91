import type { SourceHooks } from '../token/sourceHooks.js';
import type { TokenSource } from '../token/types.js';

/** A source that carries hooks, as properties that are not enumerable. */
export function withHooks(source: TokenSource, hooks: SourceHooks): TokenSource {
  for (const key of Object.getOwnPropertySymbols(hooks))
    Object.defineProperty(source, key, { value: Reflect.get(hooks, key) });
  return source;
}
