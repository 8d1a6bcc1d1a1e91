/* eslint rxjs-x/throw-error: off -- sources throw what they like */
import { throwError } from 'rxjs';
import { createTokenStream, takeToken } from 'rx-fresh-token';

it('should tell of a failure whose message cannot be read', async () => {
  const error = Object.defineProperty(new RangeError(), 'message', {
    get: () => {
      throw new Error('no');
    },
  });
  const token$ = createTokenStream(() => throwError(() => error));
  const messages: string[] = [];
  token$.events.subscribe((event) => {
    if (event.type === 'refreshFailed') messages.push(event.message);
  });
  takeToken(token$, { maxWait: 5 }).subscribe({ error: (error: unknown) => messages.push((error as Error).message) });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(messages).toEqual(['RangeError', expect.stringMatching(/: RangeError$/)]);
  token$.close();
});
