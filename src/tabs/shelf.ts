import { CLOCKS, stopwatch, type Clocks } from '../internal/stopwatch.js';
import { lifetimeOf } from '../token/refreshPolicy.js';
import type { StoredToken } from '../token/tokenStore.js';
import type { TokenResponse, TokenStreamOptions } from '../token/types.js';

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
  /** A response of that age whose token is not to be used: it may be the last. */
  keep(response: TokenResponse, age: number): void;
  /** The last response, whatever became of its token: a refresh token that rotates lives there. */
  last(): StoredToken | null;
  /** A server said that it is no good: it is neither kept nor given out, until a fetch brings it again. */
  refuse(value: string | undefined): void;
  clear(): void;
}

interface Entry {
  readonly response: TokenResponse;
  readonly age: () => number;
}

export function createShelf(clocks: Clocks = CLOCKS, override?: TokenStreamOptions['lifetime']): Shelf {
  let newest: Entry | null = null;
  let latest: Entry | null = null;
  let refused: string | undefined;

  const stored = ({ response }: Entry, age: number): StoredToken => ({ response, age, origin: 'shared' });
  const keep = (response: TokenResponse, age: number): void => {
    if (!latest || age < latest.age()) latest = { response, age: stopwatch(age, clocks) };
  };

  return {
    put: (response, age) => {
      keep(response, age);
      const { access_token: value } = response;
      const lead = newest ? newest.age() - age : Infinity;
      if (value === refused || lead <= (newest?.response.access_token === value ? SAME : 0)) return false;
      newest = { response, age: stopwatch(age, clocks) };
      return true;
    },
    get: (unwanted) => {
      if (!newest || [unwanted, refused].includes(newest.response.access_token)) return null;
      const age = newest.age();
      const lifetime = lifetimeOf(newest.response, clocks.wall() - age, override);
      return lifetime === Infinity || age < lifetime * (1 - WORTHWHILE) ? stored(newest, age) : null;
    },
    keep,
    last: () => latest && stored(latest, latest.age()),
    refuse: (value) => {
      refused = value;
    },
    clear: () => {
      newest = latest = null;
      refused = undefined;
    },
  };
}
