import { HttpService } from '@nestjs/axios';
import Axios from 'axios';
import { firstValueFrom } from 'rxjs';
import { kyWithToken } from './ky.recipe.js';
import { addToken } from './nest.recipe.js';
import { ofetchWithToken } from './ofetch.recipe.js';
import { Api } from './support.js';
import { urqlWithToken } from './urql.recipe.js';

/** What to call, with a recipe that sends with `createFetch` or `attachToken`: the client sees no rejection. */
const clients: Record<string, (api: Api, origin: string) => () => Promise<unknown>> = {
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
  'NestJS HttpService': (api, origin) => {
    const http = new HttpService(Axios.create({ baseURL: origin }));
    addToken(api.token$, http, origin);
    return () => firstValueFrom(http.get('/orders'));
  },
};

it.each(Object.entries(clients))(
  '%s: no request with an ended token; a rejection is repeated with another',
  async (_, of) => {
    const api = new Api();
    try {
      const call = of(api, await api.listen());
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
