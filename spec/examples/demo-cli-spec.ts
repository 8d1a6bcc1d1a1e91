import { parseArguments } from '../../examples/demo/cli.js';
import { explain } from '../../examples/demo/explain.js';
import { RejectedFile } from '../../examples/demo/rejected.js';
import { verdict, type Figures } from '../../examples/demo/report.js';
import { TokenEndpointError } from '../../src/index.js';

const flawless: Figures = {
  title: '',
  records: 5,
  delivered: 5,
  duplicates: 0,
  sent: 5,
  refused: 0,
  expired: 0,
  errors: 0,
  rejected: 0,
  stalled: 0,
  expiredInTransit: 0,
  waited: 0,
  longestWait: 0,
  tokens: 1,
};
const rejected = new RejectedFile('/nowhere/input.rejected', false);
describe('the verdict', () => {
  it.each<[string, Partial<Figures>, number]>([
    ['every record once', {}, 0],
    ['a 403 that was healed', { refused: 1 }, 0],
    ['a record that did not arrive', { delivered: 4 }, 1],
    ['a duplicate', { duplicates: 1 }, 1],
    ['an error', { errors: 1, delivered: 4 }, 1],
    ['an expired token', { refused: 1, expired: 1 }, 1],
    [
      'a token that expired on the way, while nothing ran',
      { refused: 1, expired: 1, expiredInTransit: 1, stalled: 6_000 },
      0,
    ],
    ['one more than that', { refused: 2, expired: 2, expiredInTransit: 1, stalled: 6_000 }, 1],
  ])('%s', (_, figures, status) => expect(verdict({ ...flawless, ...figures }, rejected, false).status).toBe(status));
});

it.each<[Partial<Figures>, string]>([
  [{ errors: 1, delivered: 4 }, '✘ 1 error reached the caller.'],
  [{ errors: 2, delivered: 3 }, '✘ 2 errors reached the caller.'],
  [{ delivered: 4 }, '✘ 1 record did not arrive.'],
  [{ expired: 1 }, '✘ 1 expired token was sent.'],
  [
    { expired: 3, expiredInTransit: 3, stalled: 6_040 },
    '✔ Every record arrived exactly once, and no expired token was sent.\n' +
      '  This process did not run for 6.0 s: it was stopped, or the machine was busy.\n' +
      '  3 expired tokens were on the way then, and valid when sent.',
  ],
  [
    { stalled: 1_500 },
    '✔ Every record arrived exactly once, and no expired token was sent.\n' +
      '  This process did not run for 1.5 s: it was stopped, or the machine was busy.',
  ],
  [{ stalled: 400 }, '✔ Every record arrived exactly once, and no expired token was sent.'],
])('the last line of %j', (figures, line) => {
  expect(verdict({ ...flawless, ...figures }, rejected, false).line).toBe(line);
});

describe('the command line', () => {
  const own = [
    '--token-endpoint',
    'https://auth.example/token',
    '--client-id',
    'me',
    '--client-secret-env',
    'NAME',
    '--url',
    'https://api.example/orders',
    '--input',
    'a.ndjson',
  ];
  const parse = (...args: string[]): unknown => parseArguments(args, { NAME: 'secret' }, 'orders.ndjson');

  it('means the servers of the demo when no other is named', () => {
    expect(parse()).toEqual({ mode: 'embedded', input: 'orders.ndjson', concurrency: 32, rate: 100 });
  });

  it('means the servers that it names', () => {
    expect(
      parse(
        ...own,
        '--scope',
        's',
        '--header',
        'A: 1',
        '--header',
        'B: 2: 3',
        '--concurrency',
        '4',
        '--rate',
        '2.5',
        '--lifetime',
        '30',
        '--resume',
      ),
    ).toMatchObject({
      mode: 'own',
      concurrency: 4,
      rate: 2.5,
      lifetime: 30,
      resume: true,
      client: {
        clientId: 'me',
        clientSecret: 'secret',
        scope: 's',
        method: 'POST',
        headers: { a: '1', b: '2: 3', 'content-type': 'application/json' },
      },
    });
  });

  it.each<[string, string[], string]>([
    [
      'a part of the servers',
      ['--url', 'https://api.example'],
      'your own servers also need --token-endpoint, --client-id, --client-secret-env, --input',
    ],
    ['--resume alone', ['--resume'], '--resume: only with servers of your own (--token-endpoint, --url)'],
    ['no number', ['--concurrency', 'many'], 'must be a whole number from 1 to 1000'],
    ['half a record', ['--concurrency', '1.5'], 'must be a whole number from 1 to 1000'],
    ['a rate of nothing', ['--rate', '0'], 'must be a number from 0.01 to 100000'],
    ['an empty lifetime', [...own, '--lifetime', ''], 'must be a number from 0.1'],
    ['a method without a body', [...own, '--method', 'GET'], 'Allowed choices are POST, PUT, PATCH'],
    [
      'a secret that is not there',
      own.map((arg) => (arg === 'NAME' ? 'secret' : arg)),
      'the environment variable that --client-secret-env names is not set',
    ],
    [
      'an address that is none',
      own.map((arg) => (arg.endsWith('orders') ? 'secret' : arg)),
      '--url must be an absolute URL',
    ],
    [
      'a password in an address',
      own.map((arg) => (arg.endsWith('orders') ? 'https://me:secret@api.example' : arg)),
      '--url must not hold a user name or password',
    ],
    ['a header without a name', [...own, '--header', 'secret'], '--header must read "Name: value"'],
    ['a header of two lines', [...own, '--header', 'A: secret\r\nB: 1'], '--header must read "Name: value"'],
    [
      'a header that the run sets',
      [...own, '--header', 'Authorization: secret'],
      '--header Authorization is not yours to set',
    ],
    ['an argument too many', ['orders.ndjson'], 'too many arguments'],
  ])('says in one line what is wrong with %s, without quoting it', (_, args, message) => {
    const written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      expect(() => parse(...args)).toThrow(message);
      expect(written.mock.calls.length).toBeLessThanOrEqual(1);
      expect(() => parse(...args)).not.toThrow(/secret(?!-env)/);
    } finally {
      written.mockRestore();
    }
  });
});

it('an error is explained in one line, with each cause once and no control characters', () => {
  const refused = Object.assign(new Error(''), { code: 'ECONNREFUSED' });
  expect(explain(new TypeError('fetch failed', { cause: refused }))).toBe('fetch failed: ECONNREFUSED');
  expect(explain(new Error('a\u001b[2J\nb', { cause: new Error('b') }))).toBe('a [2J b');
  expect(explain(new TokenEndpointError('answered 503', { cause: new Error('detail') }))).toBe('answered 503');
  expect(explain('text')).toBe('text');
});
