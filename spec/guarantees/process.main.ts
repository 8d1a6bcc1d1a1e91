// Run by policy-spec.ts in a process of its own, with a mode as its argument. Says what it sees, and when it ends by
// itself.
import { of, take, throwError } from 'rxjs';
import { createTokenStream, withToken } from 'rx-fresh-token';

const [, , mode] = process.argv;
const start = performance.now();
const life = mode === 'subscribed' ? 2 : 3600;
let fetched = 0;
const token$ = createTokenStream(
  () =>
    mode === 'waiting' ? throwError(() => new Error('down')) : of({ access_token: `T${++fetched}`, expires_in: life }),
  { jitter: 0, maxWait: 700 },
);
const say = (word: string) => process.stdout.write(`${word} `);

switch (mode) {
  case 'cached':
    withToken(token$, ({ value }) => of(value)).subscribe(say);
    break;
  case 'idle':
    token$.pipe(take(1)).subscribe(({ value }) => say(value));
    break;
  case 'left': {
    const watching = token$.subscribe(({ value }) => say(value));
    setTimeout(() => watching.unsubscribe(), 50);
    break;
  }
  case 'closed':
    token$.subscribe(({ value }) => say(value));
    setTimeout(() => token$.close(), 50);
    break;
  case 'subscribed':
    token$.pipe(take(2)).subscribe(({ value }) => say(value));
    break;
  case 'waiting':
    withToken(token$, ({ value }) => of(value)).subscribe({ error: (error: unknown) => say((error as Error).name) });
}

process.on('exit', () => process.stdout.write(performance.now() - start < 10_000 ? 'ended' : 'ended late'));
