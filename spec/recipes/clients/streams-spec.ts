import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { eventSourceWithToken } from './eventsource.recipe.js';
import { mcpWithToken } from './mcp.recipe.js';
import { Api, until } from './support.js';

let api: Api;
beforeEach(() => {
  api = new Api();
});
afterEach(() => api.close());

it('EventSource: it connects again with a usable token and its last event id', async () => {
  const ids: (string | undefined)[] = [];
  api.respond = (request, response) => {
    const value = String(request.headers.authorization).replace('Bearer ', '');
    ids.push(request.headers['last-event-id'] as string | undefined);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`retry: 50\nid: ${ids.length}\ndata: hello\n\n`);
    const watch = setInterval(() => {
      if (!api.isAlive(value)) response.end();
    }, 20);
    response.on('close', () => clearInterval(watch));
  };
  const events = eventSourceWithToken(api.token$, `${await api.listen()}/events`);
  try {
    await until(() => api.accepted.size >= 3);
    expect(ids.slice(0, 3)).toEqual([undefined, '1', '2']);
    expect(api.rejected).toBe(0);
  } finally {
    events.close();
  }
});

it('MCP: each message goes with a usable token; a rejection is repeated with another', async () => {
  api.respond = (request, response) => {
    const server = new McpServer({ name: 'orders', version: '1.0.0' });
    server.registerTool('now', { description: 'The time' }, () => ({ content: [{ type: 'text', text: '12:00' }] }));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
    void server.connect(transport as never).then(() => transport.handleRequest(request, response));
  };
  const client = new Client({ name: 'recipes', version: '1.0.0' });
  const url = new URL(`${await api.listen()}/mcp`);
  await client.connect(mcpWithToken(api.token$, url) as never);
  const call = () => client.callTool({ name: 'now' });
  await api.throughThreeTokens(call);
  expect(api.rejected).toBe(0);
  api.revoke();
  await expect(call()).resolves.toMatchObject({ content: [{ text: '12:00' }] });
  await client.close();
  expect([api.rejected, api.expired]).toEqual([1, 0]);
});
