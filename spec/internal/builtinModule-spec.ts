import { firstValueFrom, of } from 'rxjs';
import { createTokenStream, takeToken } from 'rx-fresh-token';
import { builtinModule } from '../../src/internal/platform/builtinModule.js';

afterEach(() => jest.restoreAllMocks());

describe('where every function of process throws, as in the Edge runtime of Next.js', () => {
  beforeEach(() => {
    jest.spyOn(process, 'getBuiltinModule').mockImplementation(() => {
      throw new Error('A Node.js API is used which is not supported in the Edge Runtime.');
    });
  });

  it('should find no module of Node', () => {
    expect(builtinModule('node:async_hooks')).toBeUndefined();
  });

  it('should make a stream and fetch a token', async () => {
    const token$ = createTokenStream(() => of({ access_token: 'T1', expires_in: 30 }));
    const { value } = await firstValueFrom(takeToken(token$));
    token$.close();
    expect(value).toBe('T1');
  });
});
