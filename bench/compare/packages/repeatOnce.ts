import { getWith, isRefused, type Client, type Target } from '../candidate.js';

/** The part that these packages leave to their user: a request, and its repeat with a new token after a refusal. */
export function repeatOnce(
  tokenFor: (use: { readonly afterRefusal: boolean }) => Promise<string>,
  send: (token: string, path: string) => Promise<number>,
): Client {
  return {
    get: async (path) => {
      const status = await send(await tokenFor({ afterRefusal: false }), path);
      return isRefused(status) ? send(await tokenFor({ afterRefusal: true }), path) : status;
    },
  };
}

export const sendTo =
  ({ origin }: Target) =>
  (token: string, path: string): Promise<number> =>
    getWith(token, `${origin}${path}`);
