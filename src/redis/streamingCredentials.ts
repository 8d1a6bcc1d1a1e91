/** The public function `streamingCredentials`: logs in to a Redis server whose password is an access token. */
import { asyncScheduler, EMPTY, filter, firstValueFrom, retry, type Subscription } from 'rxjs';
import { isTokenError } from '../errors.js';
import { createTimers } from '../internal/time/timers.js';
import { refuseUnknown, requireObject, requireText } from '../internal/values/validate.js';
import { backoffStep } from '../token/decisions/backoff.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import { takeToken } from '../token/takeToken.js';

export interface StreamingCredentialsOptions {
  /** The user of Redis. Not empty. Default `default`. */
  username?: string | undefined;
}

/** What Redis is told. */
export interface RedisCredentials {
  username: string;
  password: string;
}

/** The `credentialsProvider` of `redis` 5 or later, structurally: a StreamingCredentialsProvider. */
export interface StreamingCredentials {
  readonly type: 'streaming-credentials-provider';
  readonly subscribe: (listener: {
    onNext: (credentials: RedisCredentials) => void;
    onError: (error: Error) => void;
  }) => Promise<[RedisCredentials, { dispose: () => void }]>;
  readonly onReAuthenticationError: (error: Error) => void;
}

/**
 * `redis` makes a subscription for each connection, and when it connects again it loses the one before without disposing
 * of it. So the listener is held by the subscription alone, and is collected with it.
 */
const collected = /* @__PURE__ */ new FinalizationRegistry<Subscription>((renewals) => renewals.unsubscribe());

/** After a permanent failure, the stream is subscribed again. Milliseconds. */
const PAUSES = { initial: 1000, factor: 2, max: 60_000 };

/** `redis` puts words of its own before it, when an open connection was refused. */
const WRONGPASS = /(?:^|: )WRONGPASS\b/;

const timers = createTimers(asyncScheduler);

/**
 * For a Redis server whose password is an access token, with the package `redis`. Each connection starts with the
 * usable token. After each renewal the open connection authenticates again.
 *
 * ```ts
 * const credentials = streamingCredentials(token$, { username: 'orders' });
 * const client = createClient({ url: 'rediss://cache.example.com:6380', credentialsProvider: credentials });
 * client.on('error', credentials.onReAuthenticationError);
 * client.on('error', (error) => console.warn(error.message));
 * await client.connect();
 * ```
 *
 * A connection fails if there is no usable token within `maxWait`. The client then retries by its `reconnectStrategy`.
 * If Redis refuses a token, it counts as rejected, and the stream fetches a new one. If Redis refuses a new connection,
 * the client reports that to its `error` listeners only: that is what the first listener is for. `events` reports
 * rejections, and failures of the source. The client does not say which token was refused: a late refusal counts for the
 * newest one. The stream is in use while a connection is open.
 *
 * @param token$ a stream of `createTokenStream`. It must not use this Redis as its store.
 * @throws TypeError when `token$` is no stream or `username` is out of range.
 */
export function streamingCredentials(
  token$: TokenStream,
  options: StreamingCredentialsOptions = {},
): StreamingCredentials {
  // Within `maxWait`, unlike a subscription. Throws when it is no stream.
  const usable$ = takeToken(token$);
  requireObject(options);
  const { username = 'default', ...others } = options;
  refuseUnknown(others, {});
  requireText('username', username);
  const credentialsOf = ({ value }: AccessToken): RedisCredentials => ({ username, password: value });
  let newest: AccessToken | null = null;

  return {
    type: 'streaming-credentials-provider',
    subscribe: async (listener) => {
      const first = await firstValueFrom(usable$);
      let sent = (newest = first);
      const listening = new WeakRef(listener);
      const renewals = token$
        .pipe(
          retry({
            resetOnSuccess: true,
            delay: (error: Error, failures) => {
              if (isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED')) return EMPTY;
              listening.deref()?.onError(error);
              return timers.after(backoffStep(failures, PAUSES));
            },
          }),
          filter(({ value }) => value !== sent.value),
        )
        .subscribe((token) => {
          sent = newest = token;
          listening.deref()?.onNext(credentialsOf(token));
        });
      collected.register(listener, renewals);
      const subscription = {
        dispose: () => renewals.unsubscribe(),
        listener,
      };
      return [credentialsOf(first), subscription];
    },
    onReAuthenticationError: ({ message }) => {
      // Other errors are those of the connection, of which the client tells, or of the source, of which `events` tells.
      if (newest && WRONGPASS.test(message)) token$.reject(newest);
    },
  };
}
