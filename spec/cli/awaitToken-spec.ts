import { of } from 'rxjs';
import { createTokenStream } from 'rx-fresh-token';
import { awaitToken } from '../../src/cli/awaitToken.js';

describe('the first token', () => {
  const { signal } = new AbortController();

  it('should come although the store could not save it', async () => {
    const token$ = createTokenStream(({ report }) => {
      report?.(new Error('no space left'));
      return of({ access_token: 'T1', expires_in: 30 });
    });
    expect((await awaitToken(token$, signal))?.value).toBe('T1');
    token$.close();
  });

  it('should come although it has no lifetime left, which an event says before', async () => {
    const token$ = createTokenStream(() => Promise.resolve({ access_token: 'T1', expires_in: 0 }));
    expect((await awaitToken(token$, signal))?.value).toBe('T1');
    token$.close();
  });

  it('should not be waited for after a failure, though another attempt may follow', async () => {
    const token$ = createTokenStream(() => Promise.reject(new Error('down')));
    await expect(awaitToken(token$, signal)).rejects.toThrow('down');
    token$.close();
  });
});
