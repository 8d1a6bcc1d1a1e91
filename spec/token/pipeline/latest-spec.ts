import { NEVER, share, type Observable } from 'rxjs';
import { latest, type LatestOptions } from '../../../src/token/pipeline/latest.js';

/** The connector in the place where it is used. */
function setUp<T>(options: Partial<LatestOptions<T>> = {}) {
  const counts: number[] = [];
  const log: string[] = [];
  const subject = latest<T>({
    replay: () => undefined,
    apply: () => undefined,
    stillHolds: () => true,
    onCount: (count) => counts.push(count),
    ...options,
  });
  const shared$: Observable<T> = (NEVER as Observable<T>).pipe(
    share({ connector: () => subject, resetOnRefCountZero: false }),
  );
  const listen = (name: string, onValue?: (value: T) => void) =>
    shared$.subscribe({
      next: (value) => {
        log.push(`${name} ${String(value)}`);
        onValue?.(value);
      },
      error: (error: unknown) => log.push(`${name} !${String(error)}`),
      complete: () => log.push(`${name} |`),
    });
  return { subject, counts, log, listen };
}

describe('latest', () => {
  it('should tell a value to all who are there, in the order in which they came', () => {
    const { subject, log, listen } = setUp<string>();
    listen('a');
    listen('b');
    subject.next('1');
    expect(log).toEqual(['a 1', 'b 1']);
  });

  it.each([
    ['replay the value', '1', ['a 1']],
    ['replay nothing, where none holds', undefined, []],
  ])('should %s to who comes later', (_what, value, told) => {
    const { log, listen } = setUp<string>({ replay: () => value });
    listen('a');
    expect(log).toEqual(told);
  });

  it('should call `apply` before any subscriber gets the value', () => {
    const { subject, log, listen } = setUp<string>({
      apply: (value) => {
        log.push(`accept ${value}`);
      },
    });
    listen('a');
    subject.next('1');
    expect(log).toEqual(['accept 1', 'a 1']);
  });

  it('should tell a value to nobody once it no longer holds', () => {
    let holds = true;
    const { subject, log, listen } = setUp<string>({ stillHolds: () => holds });
    listen('a');
    listen('b', () => (holds = false));
    listen('c');
    subject.next('1');
    expect(log).toEqual(['a 1', 'b 1']);
  });

  it('should not tell a value to who subscribes or unsubscribes while it is told', () => {
    const { subject, log, listen } = setUp<string>();
    const late = { unsubscribe: () => {} };
    listen('a', () => {
      listen('c');
      late.unsubscribe();
    });
    late.unsubscribe = (
      (subscription) => () =>
        subscription.unsubscribe()
    )(listen('b'));
    subject.next('1');
    expect(log).toEqual(['a 1']);
  });

  it.each(['a', 'b'])('should tell a value to all before the next one, which %s causes', (who) => {
    const { subject, log, listen } = setUp<string>();
    const causeNext = (value: string) => {
      if (value === '1') subject.next('2');
    };
    listen('a', who === 'a' ? causeNext : undefined);
    listen('b', who === 'b' ? causeNext : undefined);
    listen('c');
    subject.next('1');
    expect(log).toEqual(['a 1', 'b 1', 'c 1', 'a 2', 'b 2', 'c 2']);
  });

  it('should tell a value to all before the next one, which `apply` causes', () => {
    const { subject, log, listen } = setUp<string>({
      apply: (value) => {
        if (value === '1') subject.next('2');
      },
    });
    listen('a');
    listen('b');
    subject.next('1');
    expect(log).toEqual(['a 1', 'b 1', 'a 2', 'b 2']);
  });

  it('should tell its owner how many there are', () => {
    const { counts, listen } = setUp();
    const subscriptions = [listen('a'), listen('b')];
    subscriptions[0]!.unsubscribe();
    subscriptions[0]!.unsubscribe();
    expect(counts).toEqual([1, 2, 1]);
  });

  it.each<['error' | 'complete', string]>([
    ['error', '!no'],
    ['complete', '|'],
  ])('should end all with %s, and forget them', (how, told) => {
    const { subject, counts, log, listen } = setUp();
    listen('a');
    listen('b');
    if (how === 'error') subject.error('no');
    else subject.complete();
    expect([log, counts.at(-1)]).toEqual([[`a ${told}`, `b ${told}`], 0]);
  });

  it('should count a subscriber that leaves when it gets the replayed value', () => {
    const { subject, counts } = setUp<string>({ replay: () => '1' });
    const shared$ = (NEVER as Observable<string>).pipe(share({ connector: () => subject, resetOnRefCountZero: false }));
    const seen: string[] = [];
    const subscription = shared$.subscribe((value) => {
      seen.push(value);
    });
    subscription.unsubscribe();
    expect([seen, counts.at(-1)]).toEqual([['1'], 0]);
  });
});
