import { inspect } from 'node:util';
import { codeOf, quotes, redactedCause, secretsOf, serverText } from '../../src/oauth/redact.js';

const SECRET = 's3cret/with+odd%characters';

describe('secretsOf', () => {
  it.each<[string, Record<string, string>, Record<string, string>, string[]]>([
    [
      'the secret in the form',
      { client_id: 'orders', client_secret: SECRET },
      {},
      [SECRET, encodeURIComponent(SECRET)],
    ],
    ['the refresh token', { grant_type: 'refresh_token', refresh_token: 'r1' }, {}, ['r1']],
    ['what a user adds, which may be a secret', { scope: 'read', api_key: 'k1' }, {}, ['k1']],
    [
      'the password of Basic credentials, as written',
      {},
      { authorization: `Basic ${btoa(`a:${encodeURIComponent(SECRET)}`)}` },
      [SECRET, encodeURIComponent(SECRET)],
    ],
    ['credentials of another kind', {}, { authorization: 'Custom %%%' }, ['%%%']],
    ['a proof', {}, { dpop: 'eyJ.p.s' }, ['eyJ.p.s']],
  ])('should hold %s', (_what, form, headers, expected) => {
    expect(secretsOf(new URLSearchParams(form), headers)).toEqual(expect.arrayContaining(expected));
  });

  it('should hold nothing of what is harmless', () => {
    expect(
      secretsOf(
        new URLSearchParams({
          grant_type: 'x',
          client_id: 'y',
          scope: 'z',
          resource: 'r',
          audience: 'a',
          subject_token_type: 't',
        }),
        {},
      ),
    ).toEqual([]);
    expect(secretsOf(undefined, {})).toEqual([]);
  });
});

describe('an echo of a secret', () => {
  const AWKWARD = '~!\'()* P\u00e4$$w0rd "q"\\/?';
  const bytes = (text: string) => Buffer.from(text, 'utf8');
  it.each<[string, (secret: string) => string]>([
    ['as it is', (secret) => secret],
    ['in capitals', (secret) => secret.toUpperCase()],
    ['in a URL', encodeURIComponent],
    ['in a form', (secret) => new URLSearchParams({ client_secret: secret }).toString()],
    [
      'in a form with small hex digits',
      (secret) => new URLSearchParams({ client_secret: secret }).toString().toLowerCase(),
    ],
    ['in JSON', (secret) => JSON.stringify({ client_secret: secret })],
    ['in base64', (secret) => bytes(secret).toString('base64')],
    ['in base64 of Latin-1', (secret) => Buffer.from(secret, 'latin1').toString('base64')],
    ['in base64url', (secret) => bytes(secret).toString('base64url')],
    ['in base64, behind one byte', (secret) => bytes(`:${secret}`).toString('base64')],
    ['in base64, behind two bytes and before others', (secret) => bytes(`a:${secret}:b`).toString('base64')],
  ])('should be found: %s', (_how, echo) => {
    for (const secret of [SECRET, AWKWARD, "~!'()~!'()~!'"]) {
      const secrets = secretsOf(new URLSearchParams({ client_secret: secret }), {});
      expect(serverText(`bad request: ${echo(secret)}`, 500, secrets)).toBe('[redacted: it repeats a secret]');
      expect(serverText('the client secret is wrong; see the manual, section 5.2', 500, secrets)).toMatch(
        /^the client/,
      );
    }
  });

  it.each<[string, (secret: string) => string]>([
    ['600 blanks before it', (secret) => ' '.repeat(600) + secret],
    ['600 NULs before it', (secret) => '\0'.repeat(600) + secret],
    ['600 line breaks before it', (secret) => '\r\n'.repeat(300) + secret],
    ['600 umlauts before it', (secret) => '\u00e4'.repeat(600) + secret],
    ['a word and 600 line breaks before it', (secret) => `wrong: ${'\n'.repeat(600)}${secret}`],
    ['a word, 600 blanks, a word', (secret) => `wrong: ${' '.repeat(600)}it is${' '.repeat(600)}${secret}`],
    ['600 line breaks in it', (secret) => `wrong: ${secret.slice(0, 9)}${'\n'.repeat(600)}${secret.slice(9)}`],
    ['600 line breaks between all its letters', (secret) => Array.from(secret).join('\n'.repeat(600))],
    ['what no one sees between its letters', (secret) => Array.from(secret).join('\u200b')],
    ['blanks between its letters', (secret) => Array.from(secret).join(' ')],
    ['so much before it that only its beginning is printed', (secret) => 'x'.repeat(490) + secret],
    ['so much before it, and gaps, that only its beginning is printed', (secret) => '.\n'.repeat(245) + secret],
  ])('should be found, whatever filler there is: %s', (_what, echo) => {
    for (const secret of [SECRET, 'P\u00e4$$w0rd f\u00fcr alles', '  a  very  spaced  secret  ']) {
      const secrets = secretsOf(new URLSearchParams({ client_secret: secret }), {});
      expect(serverText(echo(secret), 500, secrets)).toBe('[redacted: it repeats a secret]');
    }
  });

  it.each<[string, (secret: string) => string]>([
    ['in JSON of PHP, which escapes slashes', (secret) => JSON.stringify(secret).replace(/\//g, '\\/')],
    [
      'in JSON of ASCII',
      (secret) =>
        JSON.stringify(secret).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
    ],
    ['in JSON in JSON', (secret) => JSON.stringify(JSON.stringify(secret))],
    [
      'in HTML',
      (secret) =>
        secret
          .replace(/&/g, '&amp;')
          .replace(/</g, '&lt;')
          .replace(/>/g, '&gt;')
          .replace(/"/g, '&quot;')
          .replace(/'/g, '&#39;'),
    ],
    [
      'in HTML, as OWASP has it',
      (secret) => secret.replace(/[&<>"'/]/g, (char) => `&#x${char.charCodeAt(0).toString(16).toUpperCase()};`),
    ],
    ['in a URL in a URL', (secret) => encodeURIComponent(encodeURIComponent(secret))],
  ])('should be found, whatever it was escaped for: %s', (_what, echo) => {
    for (const secret of [
      'ab/cd/ef/gh/ij',
      'a&b<c>d"e\'f&g/h',
      '"x"y"z"a"b"c"',
      '\u00e4b\u00f6c\u00fcd\u00dfe\u00e9f\u00e8g\u00eah%i=j',
    ]) {
      const secrets = secretsOf(new URLSearchParams({ client_secret: secret }), {});
      expect(serverText(`bad: ${echo(secret)}`, 500, secrets)).toBe('[redacted: it repeats a secret]');
    }
  });

  it('should not be seen where nothing of it can be printed', () => {
    const secrets = secretsOf(new URLSearchParams({ pin: '\u00e4\u00f6\u00fc' }), {});
    expect(serverText('wrong: \u00e4\u00f6\u00fc', 500, secrets)).toBe('wrong:');
  });

  it('should be found where the secret has no form of its own', () => {
    expect(secretsOf(new URLSearchParams({ refresh_token: '\ud800-half-a-character' }), {}).length).toBeGreaterThan(0);
    expect(secretsOf(new URLSearchParams({ refresh_token: 'x'.repeat(500_000) }), {}).length).toBeGreaterThan(0);
  });

  it('should not be seen in every text when the secret is short', () => {
    expect(serverText('a text with many short words', 500, secretsOf(new URLSearchParams({ pin: '0 0' }), {}))).toBe(
      'a text with many short words',
    );
  });
});

describe('quotes', () => {
  it.each<[string, string[], boolean]>([
    ['no such client', [SECRET], false],
    [`bad secret ${SECRET}`, [SECRET], true],
    [`bad secret ${SECRET.slice(3, 11)}…`, [SECRET], true],
    [`bad secret ${SECRET.slice(3, 10)}…`, [SECRET], false],
    ['bad secret abc', ['abc'], true],
    ['bad', ['a-long-secret'], false],
    ['token eyJhbGciOiJub25lIn0 is bad', [], true],
    ['&#1114112; and \\u12 mean nothing', [SECRET], false],
  ])('should say of %j and %j: %p', (text, secrets, expected) => {
    expect(quotes(text, secrets)).toBe(expected);
  });
});

describe('serverText', () => {
  it.each<[unknown, string | undefined]>([
    ['invalid_grant', 'invalid_grant'],
    ['', undefined],
    ['\u0000\u0001', undefined],
    [7, undefined],
    [undefined, undefined],
    ['two\r\nlines', 'two lines'],
    ['far      apart', 'far apart'],
    [`${'\0'.repeat(900_000)}far`, 'far'],
    ['a long explanation', 'a long explanati…'],
    [SECRET, '[redacted: it repeats a secret]'],
  ])('should make of %j: %j', (value, expected) => {
    expect(serverText(value, 16, [SECRET])).toBe(expected);
  });
});

describe('a server that explains too much', () => {
  it('should not take seconds', () => {
    const from = performance.now();
    expect(
      serverText('no '.repeat(350_000), 500, [SECRET.repeat(100), encodeURIComponent(SECRET.repeat(100))]),
    ).toHaveLength(501);
    expect(performance.now() - from).toBeLessThan(200);
  });
});

describe('redactedCause', () => {
  const failed = (cause: unknown) =>
    Object.assign(new TypeError(`fetch failed for ${SECRET}`, { cause }), {
      input: SECRET,
      response: { body: SECRET },
    });

  it.each<[string, unknown, string, string | undefined]>([
    [
      'the code far down',
      failed(Object.assign(new Error(`connect ${SECRET}`), { code: 'ECONNREFUSED', address: SECRET })),
      'Error ECONNREFUSED',
      'ECONNREFUSED',
    ],
    ['the name alone', failed(undefined), 'TypeError', undefined],
    ['no code that is none', Object.assign(new Error(SECRET), { code: SECRET }), 'Error', undefined],
    ['no name that is none', Object.assign(new Error(SECRET), { name: `${SECRET} ` }), 'Error', undefined],
    ['something that is no error', { code: 'E_ODD', [SECRET]: SECRET }, 'Error E_ODD', 'E_ODD'],
  ])('should tell %s', (_what, failure, message, code) => {
    const cause = redactedCause(failure);
    expect(cause?.message).toBe(message);
    expect(codeOf(failure)).toBe(code);
    expect(inspect(cause, { showHidden: true, depth: 10 })).not.toContain(SECRET);
  });

  it.each([[undefined], [null], [SECRET]])('should tell nothing of %j', (failure) => {
    expect(redactedCause(failure)).toBeUndefined();
  });

  it('should end where causes go round in circles', () => {
    const error = new Error('a');
    error.cause = error;
    expect(redactedCause(error)?.message).toBe('Error');
  });
});
