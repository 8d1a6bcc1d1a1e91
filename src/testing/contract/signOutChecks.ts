/** The part of `storeContract` about sign-outs: no token of an old session comes back. */
import { firstValueFrom, Subject, timer } from 'rxjs';
import type { TokenResponse } from '../../token/types.js';
import { demand, heldByAll, valueOf, type Checks } from './checkContext.js';

/** What follows a sign-out, for a store that has `signOut`. */
export const SIGN_OUT_CHECKS: Checks = {
  'should hand out no token of a session that has ended, to anyone, if it has signOut': async (
    stores,
    { ask, source, eventually, heard, signOut },
  ) => {
    const [first] = stores;
    if (!first.signOut) return;
    // A stream in use listens to both.
    for (const { changes, signedOut } of stores) [changes, signedOut].forEach(heard);
    const old = await heldByAll(stores, ask);
    await signOut(first);
    // It knows at once; the others when they are told.
    demand(valueOf(await eventually(() => ask(first))) !== old.value, 'who signed out was handed the token again');
    for (const store of stores)
      await eventually(async () => {
        demand(valueOf(await ask(store)) !== old.value, 'the token was handed out after the sign-out');
      });
    demand(source.fetched >= 2, 'nobody fetched');
  },

  'should not keep a token that arrives after the sign-out, if it has signOut': async (
    [first, ...others],
    { ask, eventually, inTime, begin, signOut },
  ) => {
    if (!first.signOut) return;
    const response = new Subject<TokenResponse>();
    const { answer$ } = await begin(first, response);
    const signedOut = signOut(first);
    response.next({ access_token: 'late', expires_in: 3600 });
    response.complete();
    await signedOut;
    await inTime(answer$).catch(() => undefined);
    for (const store of [first, ...others])
      demand(valueOf(await eventually(() => ask(store))) !== 'late', 'a token of the session that has ended was kept');
  },

  'should tell the others of a sign-out, if it has signOut and signedOut': async (
    [first, second],
    { ask, eventually, heard, signOut },
  ) => {
    if (!first.signOut || !second.signedOut) return;
    const signals = heard(second.signedOut);
    // The second must listen before the first tells; when it does cannot be known.
    await eventually(async () => {
      await ask(first);
      await ask(second);
      await signOut(first);
      await firstValueFrom(timer(100));
      demand(signals.length > 0, 'no other store was told of a sign-out');
    });
  },

  'should tell of its own sign-out at once or not at all, if it has signOut and signedOut': async (
    [first],
    { ask, heard, signOut },
  ) => {
    if (!first.signOut || !first.signedOut) return;
    const signals = heard(first.signedOut);
    await ask(first);
    // A channel may take a moment to open.
    await firstValueFrom(timer(100));
    const done = signOut(first);
    const atOnce = signals.length;
    await done;
    await ask(first);
    await firstValueFrom(timer(300));
    demand(signals.length === atOnce, 'it told of its own sign-out late: that ends the next session');
  },
};
