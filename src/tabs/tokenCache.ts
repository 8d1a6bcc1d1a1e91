/** The memory of one tab: decides whether a token from another tab is newer than its own. */
import { CLOCKS, stopwatch, type Aged, type Clocks } from '../internal/time/stopwatch.js';
import { hasLifeLeft, storedLifetime } from '../stores/storedResponse.js';
import type { StoredToken } from '../token/tokenStore.js';
import type { TokenResponse, TokenStreamOptions } from '../token/types.js';

/**
 * The same token again counts as newer if it is this many ms younger: each tab's estimate of its age differs a little.
 */
const AGE_TOLERANCE = 1000;

export type TokenCache = ReturnType<typeof createTokenCache>;

/** The newest token that a tab knows of, aged by two clocks, and the last response. */
export function createTokenCache(lifetime?: TokenStreamOptions['lifetime'], clocks: Clocks = CLOCKS) {
  let newest: Aged<TokenResponse> | null = null;
  let last: Aged<TokenResponse> | null = null;
  let rejected: string | undefined;

  const stored = ({ response }: Aged<TokenResponse>, age: number): StoredToken => ({ response, age, origin: 'shared' });
  /** Keeps a response of that age without its token, if it is younger than the last one. */
  const addResponse = (response: TokenResponse, age: number): void => {
    if (!last || age < last.age()) last = { response, age: stopwatch(age, clocks) };
  };

  return {
    /** Keeps a token of that age; false if there is a newer one already. */
    add: (response: TokenResponse, age: number): boolean => {
      addResponse(response, age);
      const { access_token: value } = response;
      const lead = newest ? newest.age() - age : Infinity;
      if (value === rejected || lead <= (newest?.response.access_token === value ? AGE_TOLERANCE : 0)) return false;
      newest = { response, age: stopwatch(age, clocks) };
      return true;
    },
    addResponse,
    newest: (): Aged<TokenResponse> | null => newest,
    /** The newest token, if it has enough life left. `unwanted` only if it came again after `known`. */
    get: (unwanted?: string, known?: Aged<TokenResponse> | null): StoredToken | null => {
      const value = newest?.response.access_token;
      const isRenewed = newest !== known && known?.response.access_token === value;
      if (!newest || value === rejected || (value === unwanted && !isRenewed)) return null;
      const age = newest.age();
      const life = storedLifetime(newest.response, clocks.wall() - age, lifetime);
      return hasLifeLeft(life, age) ? stored(newest, age) : null;
    },
    /** The last response, even if its token is over or rejected: it may hold a refresh token that rotates. */
    lastResponse: (): StoredToken | null => last && stored(last, last.age()),
    /** A server rejected this token: it is neither kept nor given out, until a fetch brings it again. */
    reject: (value: string | undefined): void => {
      rejected = value;
    },
    /** The fetch of its replacement failed: the rejected token is given out again. */
    giveOutAgain: (): void => {
      rejected = undefined;
    },
    clear: (): void => {
      newest = last = null;
      rejected = undefined;
    },
  };
}
