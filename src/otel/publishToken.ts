/** The public function `publishToken`: sends the events of a stream to Node's diagnostics channels. */
import type * as DiagnosticsChannel from 'node:diagnostics_channel';
import { Subscription } from 'rxjs';
import { builtinModule } from '../internal/platform/builtinModule.js';
import { refuseUnknown, requireObject, requireText } from '../internal/values/validate.js';
import { loggable } from '../internal/values/loggable.js';
import { managerOf } from '../token/tokenStream.js';
import type { TokenStream } from '../token/types.js';

export interface PublishTokenOptions {
  /** The name of this stream, for the `name` of each message. Not empty. */
  name: string;
}

/**
 * Publishes the events of a token stream on Node's diagnostics channels `rx-fresh-token:refreshStarted`,
 * `:tokenChanged`, `:refreshFailed` and so on, one for each type of event. A message is the event and the `name`;
 * tokens in it print redacted.
 *
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel';
 *
 * publishToken(token$, { name: 'stock-api' });
 * subscribe('rx-fresh-token:refreshFailed', (message) => console.warn(message));
 * ```
 *
 * @returns unsubscribing ends it; so does `close()`. Where there are no diagnostics channels, in browsers, nothing is
 *   published.
 * @throws TypeError if `token$` was not made by `createTokenStream`, or names an option that is wrong
 */
export function publishToken(token$: TokenStream, options: PublishTokenOptions): Subscription {
  managerOf(token$);
  requireObject(options);
  refuseUnknown(options, { name: true });
  const { name } = options;
  requireText('name', name);
  const channel = builtinModule<typeof DiagnosticsChannel>('node:diagnostics_channel')?.channel;
  if (!channel) return Subscription.EMPTY;
  return token$.events.subscribe((event) => {
    const to = channel(`rx-fresh-token:${event.type}`);
    if (to.hasSubscribers) to.publish(loggable({ ...event, name }));
  });
}
