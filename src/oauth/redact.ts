/** What a failure may tell: class names and codes. Messages, inputs, responses and buffers may hold anything. */
export function redactedCause(failure: unknown): Error | undefined {
  const links = chainOf(failure);
  const link = links.find(({ code }) => typeof code === 'string' && CODE.test(code)) ?? links[0];
  if (!link) return undefined;
  const { name, code } = link;
  const label = typeof name === 'string' && /^\w{1,60}$/.test(name) ? name : 'Error';
  return typeof code === 'string' && CODE.test(code)
    ? Object.assign(new Error(`${label} ${code}`), { code })
    : new Error(label);
}

/** The code of a failure that {@link redactedCause} let through, for a message. */
export const codeOf = (failure: unknown): string | undefined =>
  (redactedCause(failure) as { code?: string } | undefined)?.code;

const CODE = /^[A-Z][A-Z0-9_]{2,60}$/;

/** An error, its cause, the cause of that: `fetch failed` says nothing, what lies below says ECONNREFUSED. */
function chainOf(failure: unknown): Record<string, unknown>[] {
  const links: Record<string, unknown>[] = [];
  for (
    let link = failure;
    typeof link === 'object' && link !== null && links.length < 5;
    link = (link as Record<string, unknown>).cause
  ) {
    links.push(link as Record<string, unknown>);
  }
  return links;
}
