/** Answers what Node's parser refuses, which never becomes a request. */
import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { codeOf } from '../../internal/platform/files.js';
import { messageOf } from '../../answers/messageOf.js';
import type { ProxyAnswer } from '../rules/admission.js';
import type { Records } from '../watch/records.js';
import { answer } from './relay.js';
import { openResponseOn, responseOn } from './upgrade.js';

/** For `clientError` events of a server. Without a listener, Node answers without a reason. */
export function refuseUnreadable(records: Records, error: Error, socket: Socket): void {
  const open = openResponseOn(socket);
  const code = codeOf(error);
  // A browser may open a connection ahead, and send nothing.
  const isUnused = socket.bytesRead === 0;
  // A client that ends the connection in the middle of its body has left.
  if (!socket.writable || isUnused || open?.headersSent || (open && code === 'HPE_INVALID_EOF_STATE')) {
    socket.destroy(error);
    return;
  }
  const refusal = refusalOf(code);
  if (open) {
    // Its request has a record already.
    open.shouldKeepAlive = false;
    answer(open, refusal);
    return;
  }
  const record = records.begin({ method: '-', url: '*' });
  record.error = `${refusal.text}: ${messageOf(error)}`;
  const response = responseOn(socket, new IncomingMessage(socket));
  response.once('close', () => record.end(refusal.status));
  answer(response, refusal);
}

const refusalOf = (code: string): ProxyAnswer => {
  const [status, text] = REFUSALS[code] ?? [400, 'the request is not valid HTTP/1.1'];
  return { status, error: 'http_request_error', text };
};

const REFUSALS: Readonly<Record<string, readonly [status: number, text: string] | undefined>> = {
  HPE_HEADER_OVERFLOW: [431, 'the headers of the request are too large; to raise the limit: --max-http-header-size'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the extensions of a chunk are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come in time'],
};
