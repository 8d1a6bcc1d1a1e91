import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gql } from '@apollo/client';
import { HttpService } from '@nestjs/axios';
import { Test } from '@nestjs/testing';
import type { OperationResult } from '@urql/core';
import Axios from 'axios';
import { firstValueFrom } from 'rxjs';
import { apolloWithToken } from './apollo.recipe.js';
import { kyWithToken } from './ky.recipe.js';
import { addToken, httpModule } from './nest.recipe.js';
import { ofetchWithToken } from './ofetch.recipe.js';
import { Api, tokenIn } from './support.js';
import { isRejection, urqlWithToken } from './urql.recipe.js';

/** The service that an application gets with the `imports` of the recipe. */
const nestService = async () => (await Test.createTestingModule({ imports: [httpModule] }).compile()).get(HttpService);

type Call = () => Promise<unknown>;

/** What to call, with a recipe that sends with `createFetch` or `attachToken`: the client sees no rejection. */
const clients: Record<string, (api: Api, origin: string) => Call | Promise<Call>> = {
  ky: (api, origin) => {
    const client = kyWithToken(api.token$, origin);
    return () => client.get('orders').json();
  },
  ofetch: (api, origin) => {
    const client = ofetchWithToken(api.token$, origin);
    return () => client('/orders');
  },
  urql: (api, origin) => {
    const client = urqlWithToken(api.token$, `${origin}/graphql`);
    return async () => {
      const { error } = await client.query('{ now }', {}, { requestPolicy: 'network-only' }).toPromise();
      if (error) throw error;
    };
  },
  'Apollo Client': (api, origin) => {
    const client = apolloWithToken(api.token$, `${origin}/graphql`);
    return () => client.query({ query: gql('{ now }'), fetchPolicy: 'network-only' });
  },
  'NestJS HttpService': async (api, origin) => {
    const http = await nestService();
    addToken(api.token$, http, origin);
    return () => firstValueFrom(http.get(`${origin}/orders`));
  },
};

it.each(Object.entries(clients))(
  '%s: no request with an ended token; a rejection is repeated with another',
  async (_, of) => {
    const api = new Api();
    try {
      const call = await of(api, await api.listen());
      await api.throughThreeTokens(call);
      expect(api.rejected).toBe(0);
      api.revoke();
      await call();
      expect([api.rejected, api.expired]).toEqual([1, 0]);
    } finally {
      await api.close();
    }
  },
);

it('NestJS HttpService: requests that other parts of the program send by axios itself are not changed', async () => {
  const api = new Api();
  const open = createServer((_request, response) => response.end('open')).listen(0, '127.0.0.1');
  try {
    const http = await nestService();
    addToken(api.token$, http, await api.listen());
    const { port } = open.address() as AddressInfo;
    expect((await Axios.get(`http://127.0.0.1:${port}/`)).data).toBe('open');
  } finally {
    open.close();
    await api.close();
  }
});

describe('urql, with the isRejection of its recipe', () => {
  type Answer = readonly [status: number, type: string, body: string];
  const rows: Answer = [200, 'application/graphql-response+json; charset=utf-8', '{"data":{"now":1}}'];
  const unauthenticated = '{"errors":[{"message":"no","extensions":{"code":"UNAUTHENTICATED"}}]}';

  it.each<[string, Answer, Answer, number, unknown]>([
    ['a 200 that says UNAUTHENTICATED', [200, 'application/json', unauthenticated], rows, 1, { now: 1 }],
    ['a 401 of a gateway, as HTML', [401, 'text/html', '<html>'], rows, 1, { now: 1 }],
    ['a 502 of a gateway, as HTML', rows, [502, 'text/html', '<html>'], 0, 502],
    ['an event stream that goes on', rows, [200, 'text/event-stream', `data: ${rows[2]}\n\n`], 0, { now: 1 }],
    ['a 200 with another error', rows, [200, 'application/json', '{"errors":[{"message":"no"}]}'], 0, 200],
    ['data', rows, rows, 0, { now: 1 }],
    ['JSON that is cut off', rows, [200, 'application/json', '{"data":'], 0, 200],
    ['null', rows, [200, 'application/json', 'null'], 0, 200],
    ['errors that are no list', rows, [200, 'application/json', '{"errors":{"a":[]}}'], 0, 200],
  ])('%s', async (_, toRevoked, toAlive, rejections, expected) => {
    const api = new Api();
    let endStream = () => {};
    api.http.removeAllListeners('request').on('request', ({ headers }: IncomingMessage, response: ServerResponse) => {
      const [status, type, body] = api.admit(tokenIn(headers.authorization)) ? toAlive : toRevoked;
      response.writeHead(status, { 'content-type': type }).write(body);
      if (type === 'text/event-stream') endStream = () => response.end();
      else response.end();
    });
    try {
      const client = urqlWithToken(api.token$, `${await api.listen()}/graphql`, { isRejection });
      await api.take();
      if (rejections) api.revoke();
      const { data, error } = await new Promise<OperationResult>((onResult) => {
        client.query('{ now }', {}, { requestPolicy: 'network-only' }).subscribe(onResult);
      });
      const { status } = (error?.response ?? {}) as Partial<Response>;
      expect([data ?? status, api.rejected, api.source.calls.length]).toEqual([expected, rejections, 1 + rejections]);
    } finally {
      endStream();
      await api.close();
    }
  });
});
