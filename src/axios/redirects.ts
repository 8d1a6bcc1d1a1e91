import type { InternalAxiosRequestConfig } from 'axios';
import { originOf } from '../internal/originOf.js';
import { answeredBy } from './watchedFetch.js';

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>;

/** Watches where a request is led. */
export interface Trail {
  readonly beforeRedirect: BeforeRedirect;
  /** Whether the request that got this answer carried the token. */
  readonly carried: (answer: { readonly request?: unknown }) => boolean;
}

/**
 * Takes the token off a redirect that leaves its origin, which not every axios does: on Node a package follows redirects,
 * and lets the header pass to subdomains. Browsers follow them themselves, and take an Authorization header off.
 */
export function trailFrom(url: string, others: BeforeRedirect | undefined): Trail {
  const home = originOf(url);
  let stayed = true;
  return {
    beforeRedirect: (options, response, request) => {
      others?.(options, response, request);
      stayed &&= originOf((options as { href?: string }).href) === home;
      if (stayed) return;
      const headers = (options as { headers?: Record<string, unknown> }).headers ?? {};
      for (const name of Object.keys(headers))
        if (name.toLowerCase() === 'authorization') Reflect.deleteProperty(headers, name);
    },
    carried: ({ request }) => {
      const url = answeredBy(request);
      // A mock of the server may word it as the request did: relative.
      return stayed && (!url || originOf(url, home) === home);
    },
  };
}
