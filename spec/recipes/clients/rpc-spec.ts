import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { create, createFileRegistry } from '@bufbuild/protobuf';
import type { GenService } from '@bufbuild/protobuf/codegenv2';
import { EmptySchema, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient, type Interceptor } from '@connectrpc/connect';
import { connectNodeAdapter, createGrpcTransport } from '@connectrpc/connect-node';
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type CallCredentials,
  type ServiceError,
} from '@grpc/grpc-js';
import { createHTTPHandler } from '@trpc/server/adapters/standalone';
import { certificate } from './certificate.js';
import { addToken } from './connectrpc.recipe.js';
import { credentialsWithToken } from './grpc.recipe.js';
import { appRouter } from './router.js';
import { Api, tokenIn, untilItFails } from './support.js';
import { trpcWithToken } from './trpc.recipe.js';

let api: Api;
beforeEach(() => {
  api = new Api();
});
afterEach(() => api.close());

describe('gRPC', () => {
  const { key, cert } = certificate();
  const asIs = (bytes: Buffer) => bytes;
  const method = '/Orders/list';
  const server = new Server();
  let port: number;

  beforeAll(async () => {
    const list = {
      path: method,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    server.addService(
      { list },
      {
        list: ({ metadata }: { metadata: Metadata }, answer: (error: object | null, bytes?: Buffer) => void) =>
          api.admit(tokenIn(metadata.get('authorization')[0]))
            ? answer(null, Buffer.from('[]'))
            : answer({ code: status.UNAUTHENTICATED, details: 'the token has ended' }),
      },
    );
    const pair = { private_key: key, cert_chain: cert };
    port = await new Promise((done, fail) =>
      server.bindAsync('localhost:0', ServerCredentials.createSsl(null, [pair]), (error, on) =>
        error ? fail(error) : done(on),
      ),
    );
  });
  afterAll(() => server.forceShutdown());

  const call = (client: Client) =>
    new Promise<string>((done, fail) =>
      client.makeUnaryRequest(method, asIs, asIs, Buffer.alloc(0), (error: ServiceError | null, bytes?: Buffer) =>
        error ? fail(error) : done(String(bytes)),
      ),
    );

  it('the credentials ask for each call', async () => {
    const client = new Client(`localhost:${port}`, credentialsWithToken(api.token$, credentials.createSsl(cert)));
    await api.throughThreeTokens(() => call(client));
    expect(api.rejected).toBe(0);
    const rejected = api.revoke();
    await expect(call(client)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    api.token$.reject(rejected);
    await expect(call(client)).resolves.toBe('[]');
    expect(api.expired).toBe(0);
    api.token$.close();
    await expect(call(client)).rejects.toMatchObject({
      code: status.UNKNOWN,
      details: expect.stringContaining('closed'),
    });
    client.close();
  });

  it('control: fixed credentials fail at the end of their token', async () => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${await api.take()}`);
    const fixed: CallCredentials = credentials.createFromMetadataGenerator((_context, send) => send(null, metadata));
    const ssl = credentials.combineChannelCredentials(credentials.createSsl(cert), fixed);
    const client = new Client(`localhost:${port}`, ssl);
    await expect(untilItFails(() => call(client))).resolves.toMatchObject({ code: status.UNAUTHENTICATED });
    expect(api.accepted.size).toBe(1);
    client.close();
  });
});

/** What the code that buf generates says of the service. */
type OrdersService = GenService<{
  list: { methodKind: 'unary'; input: typeof EmptySchema; output: typeof EmptySchema };
}>;

describe('Connect', () => {
  const file = create(FileDescriptorProtoSchema, {
    name: 'orders.proto',
    syntax: 'proto3',
    dependency: [EmptySchema.file.proto.name],
    service: [
      {
        name: 'Orders',
        method: [{ name: 'List', inputType: '.google.protobuf.Empty', outputType: '.google.protobuf.Empty' }],
      },
    ],
  });
  const Orders = createFileRegistry(file, () => EmptySchema.file).getService('Orders') as OrdersService;
  const routes = connectNodeAdapter({
    routes: (router) =>
      router.service(Orders, {
        list: (_request, { requestHeader }) => {
          if (api.admit(tokenIn(requestHeader.get('authorization')))) return {};
          throw new ConnectError('the token has ended', Code.Unauthenticated);
        },
      }),
  });
  const server = createHttp2Server((request, response) => void routes(request, response));
  let baseUrl: string;

  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((done) => server.close(done)));

  const callWith = (interceptor: Interceptor) => {
    const transport = createGrpcTransport({ baseUrl, interceptors: [interceptor], idleConnectionTimeoutMs: 200 });
    const client = createClient(Orders, transport);
    return () => client.list({});
  };

  it('the interceptor takes a token for each call; a rejection is repeated with another', async () => {
    const call = callWith(addToken(api.token$));
    await api.throughThreeTokens(call);
    expect(api.rejected).toBe(0);
    api.revoke();
    await call();
    expect([api.rejected, api.expired]).toEqual([1, 0]);
  });

  it('control: a fixed header fails at the end of its token', async () => {
    const value = await api.take();
    const call = callWith((next) => (request) => {
      request.header.set('authorization', `Bearer ${value}`);
      return next(request);
    });
    await expect(untilItFails(call)).resolves.toMatchObject({ code: Code.Unauthenticated });
    expect(api.accepted.size).toBe(1);
  });
});

describe('tRPC', () => {
  const clientOf = async () => {
    const handler = createHTTPHandler({
      router: appRouter,
      createContext: ({ req }) => ({ isAdmitted: () => api.admit(tokenIn(req.headers.authorization)) }),
    });
    api.http.removeAllListeners('request').on('request', handler);
    return trpcWithToken(api.token$, await api.listen());
  };

  it('each call takes a token; of a batch, only the rejected calls are repeated with another', async () => {
    const client = await clientOf();
    await api.throughThreeTokens(() => client.list.query());
    expect(api.rejected).toBe(0);
    api.revoke();
    const calls = Promise.all([client.list.query(), client.count.query(), client.ping.query()]);
    await expect(calls).resolves.toEqual([['tea'], 1, 'pong']);
    await expect(client.add.mutate()).resolves.toBe('added');
    expect([api.rejected, api.expired]).toEqual([2, 0]);
  });

  it('a subscription gets all that the server sends', async () => {
    const client = await clientOf();
    const seen: string[] = [];
    await new Promise<void>((onComplete, onError) => {
      client.changes.subscribe(undefined, { onData: (change) => seen.push(change), onComplete, onError });
    });
    expect(seen).toEqual(['a', 'b', 'c']);
  });
});
