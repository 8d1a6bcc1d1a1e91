/** How many colours there are; the style sheet has one for each. */
const HUES = 5;
const LETTERS = 26;

/** A, B, … Z, A2, B2, … A token nobody knows is a question mark. */
export function letterOf(token: number): string {
  if (token < 0) return '?';
  const round = Math.floor(token / LETTERS);
  return String.fromCharCode(65 + (token % LETTERS)) + (round === 0 ? '' : String(round + 1));
}

export const hueOf = (token: number): string => (token < 0 ? 'hue-none' : `hue-${token % HUES}`);

/** Short, for people: `320 ms`, `4.2 s`, `3 min`. */
export function duration(ms: number): string {
  if (ms < 995) return `${Math.round(ms)} ms`;
  if (ms < 99_500) return `${(ms / 1_000).toFixed(1).replace(/\.0$/, '')} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}
