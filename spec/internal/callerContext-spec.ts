import { AsyncLocalStorage } from 'node:async_hooks';
import { of, Subject, throwError } from 'rxjs';
import { captureContext, inCallerContext } from '../../src/internal/callerContext.js';

const tenant = new AsyncLocalStorage<string>();

describe('captureContext', () => {
  it('should run work in the context in which it was called, and return the result', () => {
    const run = tenant.run('a', () => captureContext());
    expect(tenant.run('b', () => run(() => tenant.getStore()))).toBe('a');
    expect(tenant.getStore()).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['no process', undefined],
    ['a process without built-in modules', {}],
    ['built-in modules without contexts', { getBuiltinModule: () => undefined }],
    ['built-in modules without resources', { getBuiltinModule: () => ({}) }],
  ])('should run work as it is where there is %s', (_kind, process) => {
    const real = Object.getOwnPropertyDescriptor(globalThis, 'process')!;
    Object.defineProperty(globalThis, 'process', { value: process, configurable: true });
    try {
      expect(captureContext()(() => 5)).toBe(5);
    } finally {
      Object.defineProperty(globalThis, 'process', real);
    }
  });
});

describe('inCallerContext', () => {
  it('should tell each subscriber in its own context, whoever emits', () => {
    const subject = new Subject<number>();
    const log: string[] = [];
    const listen = () =>
      inCallerContext(subject).subscribe({
        next: () => log.push(`next ${String(tenant.getStore())}`),
        complete: () => log.push(`complete ${String(tenant.getStore())}`),
      });
    tenant.run('a', listen);
    tenant.run('b', listen);
    tenant.run('source', () => {
      subject.next(1);
      subject.complete();
    });
    expect(log).toEqual(['next a', 'next b', 'complete a', 'complete b']);
  });

  it('should do so for an error, and for what comes at once', () => {
    const log: string[] = [];
    tenant.run('a', () => {
      inCallerContext(throwError(() => new Error('no'))).subscribe({
        error: (error: unknown) => log.push(`${(error as Error).message} ${String(tenant.getStore())}`),
      });
      inCallerContext(of(1)).subscribe(() => log.push(String(tenant.getStore())));
    });
    expect(log).toEqual(['no a', 'a']);
  });

  it('should unsubscribe from its source', () => {
    const subject = new Subject<number>();
    inCallerContext(subject).subscribe().unsubscribe();
    expect(subject.observed).toBe(false);
  });
});
