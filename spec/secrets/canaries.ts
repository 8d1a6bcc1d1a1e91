/** Values that must never be printed, by what they are. Long and odd enough to be found in whatever they end up in. */
export const canaries = {
  token: 'canary-token-6f1d0c2b9e',
  refreshToken: 'canary-refresh-81b7aa04d3',
  clientSecret: 'canary secret+5c/9e:f0=77',
  assertion: 'canary-assertion-d20e6b77c1',
  subjectToken: 'canary-subject-0a9b8c7d6e',
  query: 'canary-query-13579bdf24',
  header: 'canary-header-2468ace013',
} as const;

/** As they are, and as headers, forms and URLs encode them. */
export const encodings: readonly string[] = Object.values(canaries).flatMap((value) => [
  value,
  encodeURIComponent(value),
  new URLSearchParams({ v: value }).toString().slice(2),
  JSON.stringify(value).slice(1, -1),
  // Base64 in any of its three alignments, without the characters that the neighbours decide.
  ...['', '.', '..'].map((before) =>
    Buffer.from(before + value)
      .toString('base64')
      .slice(before === '' ? 0 : 4, -4),
  ),
]);

/** Each canary that a text shows, with the text around it. */
export const escaped = (text: string): string[] =>
  encodings.flatMap((each) => {
    const at = text.indexOf(each);
    return at < 0 ? [] : [text.slice(Math.max(0, at - 300), at + each.length + 100)];
  });
