import { beginningOf, createBeginning } from './bodyBeginning.js';

type NodeStream = Pick<NodeJS.ReadableStream, 'on'>;

/** The beginning of a body, which is a stream of Node where node-fetch has received it. */
export const beginningOnNode = (body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> =>
  'getReader' in body ? beginningOf(body) : beginningOfNodeStream(body as NodeStream);

/** node-fetch's: it is read to its end, since destroying it would leave the socket paused. */
const beginningOfNodeStream = (body: NodeStream): Promise<Uint8Array<ArrayBuffer>> =>
  new Promise((resolve) => {
    const beginning = createBeginning();
    const finish = () => {
      resolve(beginning.bytes());
    };
    body.on('data', (chunk: Uint8Array) => {
      if (!beginning.add(chunk)) finish();
    });
    body.on('end', finish);
    body.on('error', finish);
  });
