import { firstValueFrom, of } from 'rxjs';
import { asObservable, observableOf } from '../../src/internal/async/observableOf.js';

describe('what a function of the user returned', () => {
  it('should be named where RxJS cannot read it', () => {
    expect(() => observableOf(undefined as never, 'the source')).toThrow(
      new TypeError('the source returned undefined, not a Promise or an Observable'),
    );
  });

  it.each([['Observable', of(1)] as const, ['promise', Promise.resolve(1)] as const])(
    'should be read: an %s',
    async (_what, returned) => {
      expect(await firstValueFrom(observableOf(returned, 'it'))).toBe(1);
      expect(await firstValueFrom(asObservable(returned)!)).toBe(1);
    },
  );

  it.each([undefined, null, 'text', 7, { rowCount: 1 }])('should be nothing to wait for: %j', (returned) => {
    expect(asObservable(returned)).toBeUndefined();
  });
});
