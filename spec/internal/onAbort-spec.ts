import { getEventListeners } from 'node:events';
import { NEVER, Observable, of } from 'rxjs';
import { onAbort, orAborted, reasonOf } from '../../src/internal/async/onAbort.js';

describe('onAbort', () => {
  const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

  it('should call all who watch a signal, by one listener', () => {
    const controller = new AbortController();
    const heard: number[] = [];
    for (let n = 0; n < 20; n++) onAbort(controller.signal, () => heard.push(n));
    expect(listeners(controller.signal)).toBe(1);
    controller.abort();
    expect(heard).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('should call at once when the signal has aborted', () => {
    const act = jest.fn();
    onAbort(AbortSignal.abort(), act)();
    expect(act).toHaveBeenCalledTimes(1);
  });

  it('should leave no listener when the last stops, however often it says so, and begin anew', () => {
    const controller = new AbortController();
    const act = jest.fn();
    const other = jest.fn();
    const stop = onAbort(controller.signal, act);
    const stopOther = onAbort(controller.signal, other);
    stop();
    expect(listeners(controller.signal)).toBe(1);
    stopOther();
    stopOther();
    expect(listeners(controller.signal)).toBe(0);
    onAbort(controller.signal, other);
    stop();
    onAbort(controller.signal, other);
    expect(listeners(controller.signal)).toBe(1);
    controller.abort();
    expect(act).not.toHaveBeenCalled();
    expect(other).toHaveBeenCalledTimes(1);
  });

  it('should let one that is called stop another', () => {
    const controller = new AbortController();
    const second = jest.fn();
    onAbort(controller.signal, () => {
      stop();
    });
    const stop = onAbort(controller.signal, second);
    controller.abort();
    expect(second).toHaveBeenCalledTimes(1);
  });
});

describe('a value that is waited for until an abort', () => {
  const reason = new Error('enough');

  it('should be the first one', async () => {
    expect(await orAborted(of(1, 2), new AbortController().signal)).toBe(1);
    expect(await orAborted(of(1, 2), null)).toBe(1);
  });

  it('should give way to the reason of the abort', async () => {
    const controller = new AbortController();
    const waiting = orAborted(NEVER, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('should not be asked for after the abort, and a promise that rejects then ends no process', async () => {
    const asked = jest.fn();
    const signal = AbortSignal.abort(reason);
    await expect(orAborted(new Observable(asked), signal)).rejects.toBe(reason);
    await expect(orAborted(Promise.reject(new Error('late')), signal)).rejects.toBe(reason);
    expect(asked).not.toHaveBeenCalled();
  });

  it('should fail with an AbortError where the platform gives no reason, and with any reason that it gives', () => {
    expect(reasonOf({} as AbortSignal)).toMatchObject({ name: 'AbortError', message: 'aborted' });
    expect([reasonOf({ reason } as AbortSignal), reasonOf({ reason: null } as AbortSignal)]).toEqual([reason, null]);
  });
});
