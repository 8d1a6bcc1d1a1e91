/** A fetch that remembers from where the answers came: axios does not say it. */
type Fetch = typeof globalThis.fetch;

/** Where the answers to requests came from. */
const sources = new WeakMap<object, string>();
/** One for each, and not for each request: axios keeps whatever fetch it is given. */
const recording = new WeakMap<Fetch, Fetch>();

const standard: Fetch = (input, init) => globalThis.fetch(input, init);

/**
 * A fetch for axios' adapter of that name, which does not tell where an answer came from; axios before 1.12 takes none.
 */
export function recordingFetch(own: Fetch = standard): Fetch {
  const known = recording.get(own);
  if (known) return known;
  const made: Fetch = async (input, init) => {
    const response = await own(input, init);
    if (typeof input === 'object') sources.set(input, response.url);
    return response;
  };
  recording.set(own, made);
  return made;
}

/** The URL that a request's answer came from, as far as a browser's XMLHttpRequest or a recording fetch tells. */
export function answerUrlOf(request: unknown): string | undefined {
  if (typeof request !== 'object' || request === null) return undefined;
  const { responseURL } = request as { readonly responseURL?: string };
  return responseURL ?? sources.get(request);
}
