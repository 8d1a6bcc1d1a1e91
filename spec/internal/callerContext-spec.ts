import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { captureContext } from '../../src/internal/async/callerContext.js';

const tenant = new AsyncLocalStorage<string>();

describe('captureContext', () => {
  it('should run work in the context in which it was called, and return the result', () => {
    const run = tenant.run('a', () => captureContext());
    expect(tenant.run('b', () => run(() => tenant.getStore()))).toBe('a');
    expect(tenant.getStore()).toBeUndefined();
  });

  // Jest's --detectOpenHandles lists what does not say so, and hides what was opened after it behind the same line.
  it('should say that the context keeps no process alive', () => {
    const keepsAlive: unknown[] = [];
    const hook = createHook({
      init: (_id, type, _trigger, resource: { hasRef?(): boolean }) => {
        if (type === 'rx-fresh-token') keepsAlive.push(resource.hasRef?.());
      },
    }).enable();
    captureContext();
    hook.disable();
    expect(keepsAlive).toEqual([false]);
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

  it('should capture no context on Cloudflare Workers, where it belongs to one request', () => {
    const real = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
    Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Cloudflare-Workers' }, configurable: true });
    try {
      const run = tenant.run('a', () => captureContext());
      expect(tenant.run('b', () => run(() => tenant.getStore()))).toBe('b');
    } finally {
      if (real) Object.defineProperty(globalThis, 'navigator', real);
      else Reflect.deleteProperty(globalThis, 'navigator');
    }
  });
});
