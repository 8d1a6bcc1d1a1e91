import { getEventListeners } from 'node:events';
import { onAbort } from '../../src/internal/onAbort.js';

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
