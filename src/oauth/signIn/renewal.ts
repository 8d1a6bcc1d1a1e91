/** Gets the next token of a sign-in: by its refresh token, by a newer one that is stored, or by another sign-in. */
import { firstValueFrom } from 'rxjs';
import { TokenEndpointError } from '../../errors.js';
import { errorCodeOf } from '../../answers/errorCode.js';
import { isTemporaryStatus } from '../../answers/status.js';
import { asObservable } from '../../internal/async/observableOf.js';
import { requiresSignIn } from '../../answers/oauthErrors.js';
import { stopwatch, type Aged } from '../../internal/time/stopwatch.js';
import { orAborted, reasonOf } from '../../internal/async/onAbort.js';
import { permanentError } from '../../answers/permanentError.js';
import type { TokenResponse } from '../../token/types.js';
import { mayRejectRefreshToken } from '../endpoint/answer.js';
import {
  createCurrentRefreshToken,
  type CurrentRefreshToken,
  type CurrentRefreshTokenOptions,
  type Report,
} from './currentRefreshToken.js';
import type { RefreshTokenOptions } from '../options.js';
import { isMissing } from '../checks/supplied.js';
import type { TokenEndpoint } from '../endpoint/tokenEndpoint.js';

type Reauthenticate = NonNullable<RefreshTokenOptions['reauthenticate']>;

export interface RenewalOptions extends CurrentRefreshTokenOptions {
  readonly reauthenticate: Reauthenticate | undefined;
  readonly endpoint: TokenEndpoint;
}

/**
 * Gets a token: by the refresh token, by another one that is stored, by a sign-in.
 *
 * @param ended once it is aborted, nothing more is sent
 * @param onSignIn gets what a sign-in brought, whether a request still waits for it or not
 */
export function createRenewal(
  options: RenewalOptions,
  ended: AbortSignal,
  onSignIn: (renewal: Aged<TokenResponse>) => void,
) {
  const { endpoint } = options;
  const refreshTokens = createCurrentRefreshToken(options, ended);
  const signIn = createSignIn(options, refreshTokens, ended, onSignIn);

  async function exchange(refresh_token: string, signal: AbortSignal, report: Report): Promise<Aged<TokenResponse>> {
    let age = stopwatch();
    const response = await endpoint.exchange({
      grantType: 'refresh_token',
      parameters: { refresh_token },
      signal,
      onSend: () => {
        if (ended.aborted) throw reasonOf(ended);
        age = stopwatch();
      },
      onDiscarded: (discarded) => void refreshTokens.takeFrom(discarded, report),
    });
    return { response, age };
  }

  async function renew(signal: AbortSignal, report: Report): Promise<Aged<TokenResponse>> {
    const signingIn = signIn.underWay();
    if (signingIn) return orAborted(signingIn, signal);
    let token: string;
    try {
      token = await refreshTokens.get(signal);
    } catch (failure) {
      // What cannot be read for another reason may still be good, and its user need not be asked.
      if (!isMissing(failure)) throw failure;
      return signIn.begin(noRefreshToken(failure), signal, report);
    }
    for (let isFirst = true; ; isFirst = false) {
      try {
        return await exchange(token, signal, report);
      } catch (failure) {
        const remedy = ended.aborted ? undefined : remedyFor(failure);
        if (!remedy) throw failure;
        // Once: a function that gives another one each time must not be asked for ever.
        const changed = isFirst ? await refreshTokens.getChanged(signal, remedy === 'signIn') : undefined;
        if (changed !== undefined) token = changed;
        else if (remedy === 'signIn') return await signIn.begin(failure, signal, report, token);
        else throw failure;
      }
    }
  }

  return { renew, refreshTokens };
}

/** Asks the user to sign in, once for all requests that wait. */
function createSignIn(
  { endpoint, reauthenticate }: RenewalOptions,
  refreshTokens: CurrentRefreshToken,
  ended: AbortSignal,
  onSignIn: (renewal: Aged<TokenResponse>) => void,
) {
  let underWay: Promise<Aged<TokenResponse>> | undefined;

  /** It goes on when no request waits for it any more: to ask the user twice is worse than to be late. */
  async function signIn(ask: Reauthenticate, refused: string | undefined, report: Report) {
    const age = stopwatch();
    const given$ = asObservable(ask());
    if (!given$) throw permanentError('reauthenticate must return a Promise, an Observable or the like');
    const response = endpoint.checkSignIn(await firstValueFrom(given$, { defaultValue: undefined }));
    const renewal = { response, age };
    onSignIn(renewal);
    void refreshTokens.takeFromSignIn(refused, response, report);
    return renewal;
  }

  return {
    underWay: () => underWay,
    /** Fails with `failure` if there is no way to sign in now. @param sent the refresh token that was refused */
    begin: async (failure: unknown, signal: AbortSignal, report: Report, sent?: string) => {
      if (!reauthenticate || signal.aborted || ended.aborted) throw failure;
      // `consent_required` and the like ask for the user, and leave the refresh token valid.
      const refused = errorCodeOf(failure)?.endsWith('_required') ? undefined : sent;
      // Not cleared in `signIn`, which may fail before the promise is noted here.
      underWay = signIn(reauthenticate, refused, report).finally(() => (underWay = undefined));
      return orAborted(underWay, signal);
    },
  };
}

/** What may help after a refused exchange: a sign-in, or only another refresh token that is stored. */
function remedyFor(failure: unknown): 'signIn' | 'readAgain' | undefined {
  if (!(failure instanceof TokenEndpointError)) return undefined;
  const { status, error } = failure;
  if (requiresSignIn(error) && !isTemporaryStatus(status)) return 'signIn';
  return mayRejectRefreshToken(status, error) ? 'readAgain' : undefined;
}

const noRefreshToken = (cause: unknown): TokenEndpointError =>
  new TokenEndpointError('there is no refresh token: the user must sign in', { error: 'login_required', cause });
