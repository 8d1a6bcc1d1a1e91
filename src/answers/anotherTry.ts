/** Whether an answer asks for another try: a limit of the rate, or the page of a firewall. */
import { bodiesOf, headerOf, textOfBody } from './members.js';
import { limitsRateBy } from './retryAfter.js';
import { statusOf } from './status.js';

/** `Retry-After` (RFC 9110 section 10.2.3), or a rate limit that is used up, under the names that servers use. */
export const limitsRate = (answer: unknown): boolean => limitsRateBy((name) => headerOf(answer, name));

const PAGE = /^\s*(<!--[^]*?-->\s*)?<(!doctype html|html|head|body|h1)\b/i;

/** A page for people. A firewall or a proxy sends one in the place of the server. */
export function isHtml(answer: unknown): boolean {
  const type = headerOf(answer, 'content-type');
  if (type !== undefined) return /html\b/i.test(type);
  return bodiesOf(answer).some((body) => PAGE.test(textOfBody(body) ?? ''));
}

/** Asks for another try, whatever its status says: a limit of the rate, or the page of a firewall. */
export const asksForAnotherTry = (answer: unknown): boolean =>
  limitsRate(answer) || (statusOf(answer) === 403 && isHtml(answer));
