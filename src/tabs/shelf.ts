import { CLOCKS, stopwatch, type Clocks } from '../internal/stopwatch.js';
import { lifetimeOf } from '../token/refreshPolicy.js';
import type { StoredToken } from '../token/tokenStore.js';
import type { TokenResponse } from '../token/types.js';

/** A token with less than this share of its life left is not worth passing on. */
const WORTHWHILE = 0.1;

/** The same token again is news if it is so many ms younger: each tab's guess at its age differs a little. */
const SAME = 1000;

/** The newest token that a tab knows of. */
export interface Shelf {
  /** A token of that age; false if there is a newer one already. */
  put(response: TokenResponse, age: number): boolean;
  /** One worth using that is not `unwanted`. */
  get(unwanted?: string): StoredToken | null;
  /** The last response, whatever became of its token: a refresh token that rotates lives there. */
  last(): TokenResponse | null;
  /** A server said that it is no good: it is neither kept nor given out, until a fetch brings it again. */
  refuse(value: string | undefined): void;
  clear(): void;
}

export function createShelf(clocks: Clocks = CLOCKS): Shelf {
  let newest: { response: TokenResponse; age: () => number } | null = null;
  let refused: string | undefined;

  return {
    put: (response, age) => {
      const { access_token: value } = response;
      const lead = newest ? newest.age() - age : Infinity;
      if (value === refused || lead <= (newest?.response.access_token === value ? SAME : 0)) return false;
      newest = { response, age: stopwatch(age, clocks) };
      return true;
    },
    get: (unwanted) => {
      if (!newest || [unwanted, refused].includes(newest.response.access_token)) return null;
      const { response } = newest;
      const age = newest.age();
      const lifetime = lifetimeOf(response, clocks.wall() - age);
      return lifetime === Infinity || age < lifetime * (1 - WORTHWHILE) ? { response, age, origin: 'shared' } : null;
    },
    last: () => newest?.response ?? null,
    refuse: (value) => {
      refused = value;
    },
    clear: () => {
      newest = null;
      refused = undefined;
    },
  };
}
