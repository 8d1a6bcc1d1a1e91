/** Tells whether the request that got an answer still carried the token. */
import type { InternalAxiosRequestConfig } from 'axios';
import { isGetOrHead, mayHaveBeenAccepted } from '../http/redirect.js';
import { originOf } from '../internal/values/urls.js';
import { answerOf } from './recordingFetch.js';

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>;

/** Watches where a request is led. */
export interface RedirectTracker {
  readonly beforeRedirect: BeforeRedirect;
  /** Whether the request that got this answer carried the token. */
  readonly hadToken: (answer: Answered) => boolean;
  /** Whether the server has accepted what was sent before it redirected (301, 302, 303), or may have. */
  readonly acceptedBefore: (answer: Answered) => boolean;
}

interface Answered {
  readonly request?: unknown;
}

/**
 * Takes the token off a redirect that leaves its origin, which not every axios does: on Node a package follows
 * redirects, and lets the header pass to subdomains. Browsers follow them themselves, and take an Authorization header
 * off.
 */
export function trackRedirects(url: string, method: string, others: BeforeRedirect | undefined): RedirectTracker {
  const origin = originOf(url);
  let stayed = true;
  let isAccepted = false;
  return {
    beforeRedirect: (options, response, request) => {
      others?.(options, response, request);
      // axios 1.5 does not hand over the response: there only a change of the method tells.
      const { statusCode = 308 } = Object(response) as { statusCode?: number };
      const isChanged = ((options as { method?: string }).method ?? method) !== method;
      isAccepted ||= isChanged || (statusCode < 304 && !isGetOrHead(method));
      stayed &&= originOf((options as { href?: string }).href) === origin;
      if (stayed) return;
      const headers = (options as { headers?: Record<string, unknown> }).headers ?? {};
      for (const name of Object.keys(headers))
        if (name.toLowerCase() === 'authorization') Reflect.deleteProperty(headers, name);
    },
    hadToken: ({ request }) => {
      const { url } = answerOf(request);
      // A mock of the server may word it as the request did: relative.
      return stayed && (!url || originOf(url, origin) === origin);
    },
    acceptedBefore: ({ request }) => isAccepted || mayHaveBeenAccepted(method, url, answerOf(request)),
  };
}
