import { defer, map, NEVER, of, timer, type Observable } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTurns } from '../../src/pool/turns.js';

describe('turns', () => {
  it(
    'should run so many at once, and the others in their order',
    marbles((m) => {
      const inTurn = createTurns(2);
      const work = (name: string) => inTurn(m.cold('---(x|)').pipe(map(() => name)));
      m.expect(work('a')).toBeObservable('---(a|)');
      m.expect(work('b')).toBeObservable('---(b|)');
      m.expect(work('c')).toBeObservable('------(c|)');
      m.expect(work('d')).toBeObservable('------(d|)');
      m.expect(work('e')).toBeObservable('---------(e|)');
    }),
  );

  it(
    'should pass the turn on when one fails or is unsubscribed, and forget who leaves the queue',
    marbles((m) => {
      const inTurn = createTurns(1);
      const never = m.cold('-');
      const skipped = m.cold('-');
      const last = m.cold('-a|');
      m.expect(inTurn(m.cold('--#'))).toBeObservable('--#');
      m.expect(inTurn(never), '^---!').toBeObservable('-');
      m.expect(inTurn(skipped), '^-!').toBeObservable('-');
      m.expect(inTurn(last)).toBeObservable('-----a|');
      m.expect(never).toHaveSubscriptions('--^-!');
      m.expect(skipped).toHaveSubscriptions([]);
    }),
  );

  it(
    'should run no more at once than a limit that is not whole',
    marbles((m) => {
      const inTurn = createTurns(1.5);
      m.expect(inTurn(m.cold('--(a|)'))).toBeObservable('--(a|)');
      m.expect(inTurn(m.cold('--(b|)'))).toBeObservable('----(b|)');
    }),
  );

  it('should not run out of stack when 100,000 that wait end at once', () => {
    const inTurn = createTurns(1);
    let count = 0;
    const first = inTurn(NEVER).subscribe();
    for (let i = 0; i < 100_000; i++) inTurn(defer(() => of(count++))).subscribe();
    expect(count).toBe(0);
    first.unsubscribe();
    expect(count).toBe(100_000);
  });

  it(
    'should admit one that is asked for while another begins',
    marbles((m) => {
      const inTurn = createTurns(1);
      const order: string[] = [];
      const work = (name: string): Observable<number> =>
        inTurn(
          defer(() => {
            order.push(name);
            return timer(1, m.scheduler);
          }),
        );
      work('a').subscribe(() => work('c').subscribe());
      work('b').subscribe();
      m.flush();
      expect(order).toEqual(['a', 'b', 'c']);
    }),
  );
});
