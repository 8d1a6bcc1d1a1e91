/** Makes causes of errors safe to log: what servers and options say may hold secrets. */
import { LONGEST_CHAIN } from '../../answers/members.js';

/**
 * What a failure may tell: class names, codes and fixed texts. Messages, inputs, responses and buffers may hold
 * anything.
 */
export function redactedCause(failure: unknown): (Error & { readonly code?: string }) | undefined {
  const causes = causesOf(failure);
  const text = causes.map(({ message }) => message).find(isFixedText);
  if (text !== undefined) return new Error(text);
  const link = causes.find(hasCode) ?? causes[0];
  if (!link) return undefined;
  const label = typeof link.name === 'string' && /^\w{1,60}$/.test(link.name) ? link.name : 'Error';
  return hasCode(link) ? Object.assign(new Error(`${label} ${link.code}`), { code: link.code }) : new Error(label);
}

/** What Node's fetch says, and has no code of its own for. */
const FIXED_TEXT = /^(bad port|proxy authentication required|Proxy response \(\d{3}\) !== 200 when HTTP Tunneling)$/;

const isFixedText = (message: unknown): message is string => typeof message === 'string' && FIXED_TEXT.test(message);

const CODE = /^[A-Z][A-Z0-9_]{2,60}$/;

const hasCode = (link: Link): link is Link & { code: string } => typeof link.code === 'string' && CODE.test(link.code);

type Link = Readonly<Record<'name' | 'code' | 'cause' | 'message', unknown>>;

/** An error, its cause, the cause of that: `fetch failed` says nothing, what lies below says ECONNREFUSED. */
function causesOf(failure: unknown): Link[] {
  const causes: Link[] = [];
  for (let link = failure; typeof link === 'object' && link !== null && causes.length < LONGEST_CHAIN;) {
    causes.push(link as Link);
    link = (link as Link).cause;
  }
  return causes;
}
