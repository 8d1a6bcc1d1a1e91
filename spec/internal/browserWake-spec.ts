import { browserWake } from '../../src/internal/time/browserWake.js';

const globals = globalThis as { document?: unknown; window?: unknown };

function pretend(document: unknown, window: unknown): void {
  Object.assign(globals, { document, window });
}

afterEach(() => {
  delete globals.document;
  delete globals.window;
});

describe('browserWake', () => {
  it.each([
    ['visibilitychange', 'document'],
    ['online', 'window'],
    ['pageshow', 'window'],
  ] as const)('should emit at %s of the %s', (type, target) => {
    const targets = { document: new EventTarget(), window: new EventTarget() };
    pretend(targets.document, targets.window);
    const seen: unknown[] = [];
    const subscription = browserWake().subscribe((event) => seen.push((event as Event).type));
    targets[target].dispatchEvent(new Event(type));
    expect(seen).toEqual([type]);
    targets[target === 'document' ? 'window' : 'document'].dispatchEvent(new Event(type));
    expect(seen).toEqual([type]);
    subscription.unsubscribe();
    targets[target].dispatchEvent(new Event(type));
    expect(seen).toEqual([type]);
  });

  it('should not emit when the page is hidden', () => {
    const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
    pretend(document, new EventTarget());
    const seen: string[] = [];
    const subscription = browserWake().subscribe(() => seen.push(document.visibilityState));
    for (const state of ['hidden', 'visible', 'hidden']) {
      document.visibilityState = state;
      document.dispatchEvent(new Event('visibilitychange'));
    }
    expect(seen).toEqual(['visible']);
    subscription.unsubscribe();
  });

  it.each<[string, unknown, unknown]>([
    ['there is neither document nor window', undefined, undefined],
    ['there is a document only', new EventTarget(), undefined],
    ['there is a window only, as in a worker with shims', undefined, new EventTarget()],
    ['they are no event targets', {}, {}],
    ['only the window is none', new EventTarget(), {}],
  ])('should complete at once when %s', (_kind, document, window) => {
    pretend(document, window);
    const complete = jest.fn();
    browserWake().subscribe({ complete });
    expect(complete).toHaveBeenCalledTimes(1);
  });
});
