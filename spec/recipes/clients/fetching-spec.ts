import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpService } from '@nestjs/axios';
import { Test } from '@nestjs/testing';
import Axios from 'axios';
import { firstValueFrom } from 'rxjs';
import { kyWithToken } from './ky.recipe.js';
import { addToken, httpModule } from './nest.recipe.js';
import { ofetchWithToken } from './ofetch.recipe.js';
import { Api } from './support.js';
import { urqlWithToken } from './urql.recipe.js';

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
