/** How redirects are treated where the platform follows them: in browsers. */
import type { RedirectPolicy } from './follow.js';
import { methodOf } from './outgoingRequest.js';
import { isGetOrHead } from './redirect.js';

/** Redirects are opaque to the scripts of a page: the platform follows them, or nobody does. */
export const byPlatform: RedirectPolicy = {
  // A browser drops `Authorization` on the way to another origin, but no custom header. A proof names one URL.
  mode: (platformMayFollow) => (platformMayFollow ? 'follow' : 'error'),
  endOf: (response, outgoing) => {
    const { redirected, url } = response;
    const hadToken = !redirected || new URL(url).origin === new URL(outgoing.url).origin;
    // A redirect may have made a GET of it, after the server had accepted it.
    return { response, hadToken, toRepeat: redirected && !isGetOrHead(methodOf(outgoing)) ? null : outgoing };
  },
};
