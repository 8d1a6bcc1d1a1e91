/** For how long a fetch goes on for which nobody waits any more. Milliseconds. */

/** An exchange of a refresh token: what it brings is the only good one. */
export const EXCHANGE_GRACE = 5000;

/** A fetch for a store, which keeps what that exchange brings. The option `lockTimeout` of tabs counts on 6 s. */
export const STORE_GRACE = EXCHANGE_GRACE + 1000;
