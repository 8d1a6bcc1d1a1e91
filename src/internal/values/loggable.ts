/** Makes an event fit for a log: the error of the user's source may hold a request, with its secrets. */
import { INSPECT } from '../platform/inspect.js';

/** `error` can be read and copied, but is not printed: that of axios holds the request, with the client secret. */
export function loggable<E extends object>(event: E): E {
  if (!('error' in event)) return event;
  const print = {
    value: () => {
      const printed: { error?: unknown } = { ...event };
      delete printed.error;
      return printed;
    },
  };
  return Object.defineProperties(event, { toJSON: print, [INSPECT]: print });
}
