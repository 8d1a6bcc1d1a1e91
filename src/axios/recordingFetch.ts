/** A fetch that remembers from where the answers came: axios does not say it. */

type Fetch = typeof globalThis.fetch;

/** The answers to requests. */
const answers = new WeakMap<object, AnswerOrigin>();
/** One for each fetch, not for each request: axios keeps an adapter for every fetch that it has seen. */
const recording = new WeakMap<Fetch, Fetch>();

/** Axios before 1.12 takes none. */
export function recordingFetch(own: Fetch): Fetch {
  const known = recording.get(own);
  if (known) return known;
  const made: Fetch = async (input, init) => {
    const response = await own(input, init);
    if (typeof input === 'object') answers.set(input, response);
    return response;
  };
  recording.set(own, made);
  return made;
}

/** What is known of where an answer came from. */
type AnswerOrigin = { readonly [K in 'url' | 'redirected']?: Response[K] | undefined };

/** What a browser's XMLHttpRequest or a recording fetch tells of the answer to a request. */
export function answerOf(request: unknown): AnswerOrigin {
  if (typeof request !== 'object' || request === null) return {};
  const { responseURL: url } = request as { readonly responseURL?: string };
  return url === undefined ? (answers.get(request) ?? {}) : { url };
}
