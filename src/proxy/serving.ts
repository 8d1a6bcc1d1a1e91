/** The way of one request through the proxy. */
import type { IncomingMessage, InformationEvent, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { messageOf } from '../internal/messageOf.js';
import type { BodyInit } from '../internal/platformTypes.js';
import { objectionToClient, objectionToRequest, type ProxyAnswer } from './admission.js';
import { Exchange } from './exchange.js';
import { answerToFailure, TransferCodingFailure } from './failures.js';
import { isReadable, requestHeaders, responseHeaders, wireOf } from './headers.js';
import type { ProxyMetrics } from './metrics.js';
import type { ProxySettings } from './options.js';
import { ownPage } from './ownPages.js';
import type { RequestRecord, Records } from './records.js';
import { answer, relay } from './relay.js';
import type { TokenWatch } from './tokenWatch.js';
import { connect, type HandedOver } from './upgrade.js';
import type { Upgraded, UpstreamAnswer } from './upstream.js';

/** What the client expects before an answer: to be asked for its body (`Expect`), or another protocol (`Upgrade`). */
export interface Expectations {
  /** The client waits for `100 Continue`. */
  readonly expectsContinue: boolean;
  /** Node has handed the connection over. */
  readonly upgrade: HandedOver | undefined;
}

export interface ServingContext {
  readonly settings: ProxySettings;
  /** A fetch of `createFetch` over the transport of `upstream`. */
  readonly send: typeof globalThis.fetch;
  /** The proxy's name in `Via`. */
  readonly pseudonym: string;
  readonly metrics: ProxyMetrics;
  readonly records: Records;
  readonly watch: TokenWatch;
  /** The connections that Node has handed over: WebSockets, open or not yet. */
  readonly sockets: Set<Socket>;
  readonly isDraining: () => boolean;
}

/** Serves one request: it is refused, answered by the proxy, or passed on. */
export function serve(
  context: ServingContext,
  request: IncomingMessage,
  response: ServerResponse,
  expectations: Expectations,
): void {
  const { settings, pseudonym, records } = context;
  // Another listener has answered, or the client has left while one kept it waiting.
  if (response.writableEnded || response.destroyed) return;
  const record = records.begin(request);
  response.once('close', () => {
    // A server that does not read the body would hold up the rest of it, and what the client sends next.
    if (!response.writableFinished || !request.complete) record.exchange?.abandon();
    record.end(response.headersSent ? response.statusCode : 499);
  });
  if (context.isDraining()) response.shouldKeepAlive = false;
  const refuse = (refusal: ProxyAnswer, cause?: unknown): void => {
    record.error = cause === undefined ? refusal.text : `${refusal.text}: ${messageOf(cause)}`;
    // A client that waits to send its body may send it or not: the connection cannot be used again.
    if (expectations.expectsContinue) response.shouldKeepAlive = false;
    answer(response, refusal);
  };
  const foreign = objectionToClient(request, settings);
  if (!foreign && ownPage(request, response, context)) return;
  const objection = foreign ?? objectionToRequest(request, settings, pseudonym);
  if (objection) refuse(objection);
  else forward(context, { request, response, expectations, record, refuse });
}

interface ForwardedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly expectations: Expectations;
  readonly record: RequestRecord;
  readonly refuse: (refusal: ProxyAnswer, cause?: unknown) => void;
}

function forward(context: ServingContext, forwarded: ForwardedRequest): void {
  const { settings, watch } = context;
  const { request, response, record, refuse } = forwarded;
  const exchange = exchangeOf(context, forwarded);
  if (exchange.init.hasBody && request.readableDidRead) {
    // It would be waited for in vain.
    const text = 'the body was read before the proxy was called: let it come before a body parser';
    refuse({ status: 500, error: 'proxy_internal_error', text });
    return;
  }
  record.exchange = exchange;
  context
    .send(settings.to.origin + exchange.init.path, {
      method: exchange.init.method,
      body: exchange as unknown as BodyInit,
      redirect: 'manual',
    })
    .then((answered) => {
      deliver(context, forwarded, exchange, answered as unknown as UpstreamAnswer);
    })
    .catch((error: unknown) => {
      exchange.abandon();
      if (response.headersSent) response.destroy();
      else if (!response.destroyed) refuse(answerToFailure(error, watch.retryAfter()), error);
    });
}

function deliver(
  context: ServingContext,
  forwarded: ForwardedRequest,
  exchange: Exchange,
  answered: UpstreamAnswer,
): void {
  const { response, expectations } = forwarded;
  const { incoming, upgraded } = answered;
  exchange.settle();
  if (exchange.isAbandoned || response.destroyed) {
    incoming.destroy();
    upgraded?.socket.destroy();
  } else if (upgraded) {
    switchProtocols(forwarded, upgraded);
  } else if (!isReadable(incoming, exchange.init.method)) {
    throw new TransferCodingFailure(incoming.headers['transfer-encoding']);
  } else {
    // The body was not asked for, and may come or not.
    if (expectations.expectsContinue && !exchange.hasAskedForBody) response.shouldKeepAlive = false;
    relay(answered, response, context.settings, exchange.init.path);
  }
}

function switchProtocols({ response, expectations, record }: ForwardedRequest, upgraded: Upgraded): void {
  if (!expectations.upgrade) {
    upgraded.socket.destroy();
    throw new Error('it switched protocols, which nobody had asked for');
  }
  const { socket, takeHead } = expectations.upgrade;
  response.detachSocket(socket);
  socket.once('close', () => {
    record.end(101);
  });
  connect(upgraded, socket, takeHead());
}

function exchangeOf(
  { settings, pseudonym }: ServingContext,
  { request, response, expectations }: ForwardedRequest,
): Exchange {
  const { to, prefix, repeatLimit } = settings;
  const { method = 'GET', url = '', headers, rawHeaders, httpVersionMinor } = request;
  const { expectsContinue, upgrade } = expectations;
  const length = headers['content-length'];
  const body = headers['transfer-encoding'] ? ('chunked' as const) : length === undefined ? undefined : Number(length);
  return new Exchange({
    incoming: request,
    method,
    path: prefix + url,
    headers: requestHeaders(rawHeaders, {
      host: to.host,
      via: `1.${String(httpVersionMinor)} ${pseudonym}`,
      body,
      method,
      expectsContinue,
      isUpgrade: upgrade !== undefined,
    }),
    hasBody: body !== undefined && body !== 0,
    repeatLimit,
    askForBody: expectsContinue
      ? () => {
          response.writeContinue();
        }
      : undefined,
    onInformation: httpVersionMinor > 0 && !upgrade ? informing(response) : undefined,
  });
}

/**
 * A proxy passes 1xx responses on (RFC 9110 section 15.2). By the socket, because Node's methods know two of them, and
 * throw for a `Link` that they do not understand. Node answers `100 Continue` itself.
 */
const informing =
  (response: ServerResponse) =>
  ({ statusCode, statusMessage, rawHeaders }: InformationEvent): void => {
    if (statusCode === 100 || response.headersSent || !response.socket?.writable) return;
    const fields = responseHeaders(rawHeaders, statusCode);
    response.socket.write(`HTTP/1.1 ${String(statusCode)} ${statusMessage}\r\n${wireOf(fields)}`, 'latin1');
  };
