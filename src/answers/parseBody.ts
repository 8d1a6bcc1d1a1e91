/** Parses the body of an answer: JSON, or a form. */

/** The JSON value of a text; `undefined` for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    // Not every ponyfill of fetch strips the byte order mark; it counts as a blank.
    return JSON.parse(text.trimStart());
  } catch {
    return undefined; // the SyntaxError quotes the text
  }
}

/**
 * As in the first drafts of OAuth 2.0, and by GitHub's default: `access_token=…&token_type=bearer`. What ends after the
 * first `=`, or goes on with another, is a token in Base64.
 */
const FORM = /^\s*[\w.%-]+=(?!=|\s*$)[^\s&]*(&[\w.%-]+=[^\s&]*)*&?\s*$/;

/** The body of a token endpoint's answer, a form or JSON, whatever its media type; `undefined` for anything else. */
export const parseBody = (text: string): unknown =>
  FORM.test(text) ? Object.fromEntries(new URLSearchParams(text.trim())) : parseJson(text);
