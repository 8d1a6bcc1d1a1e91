import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { firstValueFrom, of, throwError } from 'rxjs';
import { createTokenStream, takeToken, type TokenStream } from 'rx-fresh-token';
import { publishToken, type PublishTokenOptions } from 'rx-fresh-token/otel';

const messages: unknown[] = [];
const note = (message: unknown, channel: string | symbol) => messages.push([channel, message]);
const channels = ['refreshStarted', 'tokenChanged', 'refreshFailed', 'closed'].map((type) => `rx-fresh-token:${type}`);

beforeEach(() => {
  messages.length = 0;
  for (const channel of channels) subscribe(channel, note);
});
afterEach(() => {
  for (const channel of channels) unsubscribe(channel, note);
  jest.restoreAllMocks();
});

const stream = () => createTokenStream(() => of({ access_token: 'a-secret', expires_in: 60 }));

it('should publish each event on the channel of its type, with the name, and no secret in what is printed', async () => {
  const token$ = stream();
  publishToken(token$, { name: 'api' });
  await firstValueFrom(takeToken(token$));
  token$.close();
  expect(messages).toMatchObject([
    ['rx-fresh-token:refreshStarted', { type: 'refreshStarted', name: 'api', reason: 'initial' }],
    ['rx-fresh-token:tokenChanged', { type: 'tokenChanged', name: 'api', origin: 'fetched' }],
    ['rx-fresh-token:closed', { type: 'closed', name: 'api' }],
  ]);
  expect(JSON.stringify(messages)).not.toContain('a-secret');
});

it('should publish the error of a failed attempt, but not print it: it may hold a request with secrets', async () => {
  const error = Object.assign(new Error('401'), { status: 401, config: { data: 'client_secret=s3cr3t' } });
  const token$ = createTokenStream(() => throwError(() => error));
  publishToken(token$, { name: 'api' });
  await expect(firstValueFrom(takeToken(token$))).rejects.toThrow('401');
  token$.close();
  expect(messages[1]).toMatchObject(['rx-fresh-token:refreshFailed', { name: 'api', error, message: '401' }]);
  expect(JSON.stringify(messages)).not.toContain('s3cr3t');
});

it('should end with its subscription', async () => {
  const token$ = stream();
  publishToken(token$, { name: 'api' }).unsubscribe();
  await firstValueFrom(takeToken(token$));
  token$.close();
  expect(messages).toEqual([]);
});

it('should do nothing where there are no such channels', () => {
  jest.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined);
  const token$ = stream();
  expect(publishToken(token$, { name: 'api' }).closed).toBe(true);
  token$.close();
});

it('should name what is wrong at creation', () => {
  const token$ = stream();
  const publish = (from: unknown, options: unknown) => () =>
    publishToken(from as TokenStream, options as PublishTokenOptions);
  expect(publish(of(1), { name: 'api' })).toThrow('createTokenStream');
  expect(publish(token$, { name: 'api', channel: 'x' })).toThrow('unknown option "channel"');
  for (const options of [undefined, null, 'api']) expect(publish(token$, options)).toThrow('options must be an object');
  for (const options of [{}, { name: '' }, { name: 1 }]) expect(publish(token$, options)).toThrow('"name"');
  token$.close();
});
