/** The way of one request through the proxy. */
import type { IncomingMessage, InformationEvent, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { messageOf } from '../answers/messageOf.js';
import type { BodyInit } from '../internal/platform/platformTypes.js';
import { objectionToClient, objectionToRequest, type ProxyAnswer } from './rules/admission.js';
import { endWithAnswer } from './traffic/earlyAnswer.js';
import { Exchange } from './traffic/exchange.js';
import { answerToFailure, ProxyFailure } from './rules/failures.js';
import { framingOf, headOf, hasKnownResponseCoding, requestHeaders, responseHeaders } from './rules/headers.js';
import type { ProxySettings } from './options.js';
import { ownPage } from './watch/ownPages.js';
import type { RequestRecord, Records } from './watch/records.js';
import { answer, relay } from './traffic/relay.js';
import type { TokenHealth } from './watch/tokenHealth.js';
import { joinSockets, type HandedOver } from './traffic/upgrade.js';
import type { Upgraded, UpstreamAnswer } from './traffic/upstream.js';

export interface ServedRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for `100 Continue`. */
  readonly expectsContinue: boolean;
  /** The connection, if Node has handed it over. */
  readonly upgrade: HandedOver | undefined;
}

export interface ServingContext {
  readonly settings: ProxySettings;
  /** A fetch of `createFetch` over the transport of `upstream`. */
  readonly send: typeof globalThis.fetch;
  /** The proxy's name in `Via`. */
  readonly pseudonym: string;
  readonly records: Records;
  readonly health: TokenHealth;
  /** The connections that Node has handed over: WebSockets, open or not yet. */
  readonly sockets: Set<Socket>;
  readonly isDraining: () => boolean;
}

/** Serves one request: it is refused, answered by the proxy, or passed on. */
export function serve(context: ServingContext, served: ServedRequest): void {
  const { settings, pseudonym, records, health } = context;
  const { request, response } = served;
  // Another listener has answered, the client has left while one kept it waiting, or the connection is being closed.
  if (response.writableEnded || response.destroyed || request.socket.writableEnded) return;
  if (context.isDraining()) response.shouldKeepAlive = false;
  const clientObjection = objectionToClient(request, settings);
  // Probes are no requests of clients: they are neither counted nor logged.
  if (!clientObjection && ownPage(request, response, context)) return;
  const record = records.begin(request);
  response.once('close', () => {
    // A server that does not read the body would hold up the rest of it.
    if (!response.writableFinished || !request.complete) record.exchange?.abandon();
    record.end(response.headersSent ? response.statusCode : 499);
  });
  const refuse = (refusal: ProxyAnswer, cause?: unknown): void => {
    record.error = cause === undefined ? refusal.text : `${refusal.text}: ${messageOf(cause)}`;
    endWithAnswer(request, response);
    answer(response, refusal);
  };
  const objection = clientObjection ?? objectionToRequest(request, settings, pseudonym);
  if (objection) {
    // Node reads a body that came with the head after this event. Only then is it known whether all of it is here.
    setImmediate(() => {
      const { socket } = request;
      if (!response.headersSent && !socket.destroyed && !socket.writableEnded) refuse(objection);
    });
    return;
  }
  forward(context, served, record).catch((error: unknown) => {
    record.exchange?.abandon();
    if (response.headersSent) response.destroy();
    else if (!response.destroyed) refuse(answerToFailure(error, health.retryAfter()), error);
  });
}

async function forward(context: ServingContext, served: ServedRequest, record: RequestRecord): Promise<void> {
  const { settings, send } = context;
  const { response } = served;
  const exchange = exchangeOf(context, served);
  const { signal, init } = exchange;
  const { method, path } = init;
  record.exchange = exchange;
  const body = exchange as unknown as BodyInit;
  const answered = await send(settings.to.origin + path, { method, body, signal, redirect: 'manual' });
  const { incoming, upgraded } = answered as unknown as UpstreamAnswer;
  exchange.settle();
  if (response.destroyed) {
    incoming.destroy();
    upgraded?.socket.destroy();
  } else if (upgraded) {
    switchProtocols(served, record, incoming, upgraded);
  } else if (!hasKnownResponseCoding(incoming, method)) {
    throw new ProxyFailure(UNREADABLE, String(incoming.headers['transfer-encoding']));
  } else {
    endWithAnswer(served.request, response);
    relay(incoming, response, settings, path);
  }
}

const UNREADABLE = {
  status: 502,
  error: 'http_response_transfer_coding',
  text: 'the upstream server sends a transfer coding that the proxy cannot decode',
};

function switchProtocols(
  { response, upgrade }: ServedRequest,
  record: RequestRecord,
  incoming: IncomingMessage,
  upgraded: Upgraded,
): void {
  if (!upgrade) {
    upgraded.socket.destroy();
    throw new Error('it switched protocols, which nobody had asked for');
  }
  const { socket, takeHead } = upgrade;
  response.detachSocket(socket);
  socket.once('close', () => record.end(101));
  joinSockets(incoming, upgraded, socket, takeHead());
}

function exchangeOf(
  { settings, pseudonym }: ServingContext,
  { request, response, expectsContinue, upgrade }: ServedRequest,
): Exchange {
  const { to, prefix, repeatLimit } = settings;
  const { method = 'GET', url = '', headers, rawHeaders, httpVersionMinor } = request;
  const body = framingOf(headers);
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
    hasBody: Boolean(body),
    repeatLimit,
    askForBody: expectsContinue ? () => response.writeContinue() : undefined,
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
    const line = `HTTP/1.1 ${String(statusCode)} ${statusMessage}`;
    response.socket.write(headOf(line, responseHeaders(rawHeaders, statusCode)));
  };
