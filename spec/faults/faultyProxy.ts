import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What may happen to a connection. One carries one request, so this is what happens to a request. */
export const faults = [
  'delay',
  'reset before',
  'reset after',
  'half-close',
  'truncate',
  'trickle',
  'stall',
  'duplicate',
  'reorder',
] as const;
export type Fault = (typeof faults)[number];

export interface FaultyProxy {
  readonly origin: string;
  /** How often each fault was done. */
  readonly done: Readonly<Record<Fault, number>>;
  /** How many times the proxy itself sent a request again, by its request line. */
  readonly duplicates: ReadonlyMap<string, number>;
  /** From now on nothing comes through at all. */
  breakDown(): void;
  /** From now on nothing goes wrong; connections that something was wrong with are gone. */
  calm(): void;
  close(): void;
}

/** Stands between a client and a server, and spoils the given share of all requests, each in one way. */
export async function startFaultyProxy(port: number, random: () => number, share = 0.5): Promise<FaultyProxy> {
  const done = Object.fromEntries(faults.map((fault) => [fault, 0])) as Record<Fault, number>;
  const duplicates = new Map<string, number>();
  const spoiled = new Set<Socket>();
  const all = new Set<Socket>();
  let release: (() => void) | null = null;
  let weather: 'foul' | 'broken' | 'calm' = 'foul';
  /** Faults are dealt like cards, so that a short run meets each of them. */
  let deck: Fault[] = [];
  const deal = (): Fault => {
    if (deck.length === 0) deck = [...faults];
    return deck.splice(Math.floor(random() * deck.length), 1)[0]!;
  };

  const up = (client: Socket): Socket => {
    const server = connect(port, '127.0.0.1');
    all.add(server);
    server.on('error', () => client.destroy()).on('close', () => all.delete(server));
    return server;
  };
  const after = (ms: number, act: () => void) => {
    setTimeout(act, ms);
  };

  function pass(client: Socket, request: Buffer): Socket {
    const server = up(client);
    server.write(request);
    return server;
  }

  /** Passes a request on, and hands what is answered to `answer`, piece by piece. */
  function relay(
    client: Socket,
    request: Buffer,
    answer: (piece: Buffer) => void,
    end: () => void = () => client.end(),
  ): void {
    pass(client, request).on('data', answer).on('end', end);
  }

  const spoil: Record<Fault, (client: Socket, request: Buffer) => void> = {
    delay: (client, request) => {
      after(20 + random() * 300, () => {
        relay(client, request, (piece) => client.write(piece));
      });
    },
    'reset before': (client) => {
      client.resetAndDestroy();
    },
    'reset after': (client, request) => {
      relay(client, request, () => client.resetAndDestroy());
    },
    'half-close': (client, request) => {
      // It says that it has nothing to say, and goes on listening.
      pass(client, request).resume();
      client.end();
    },
    truncate: (client, request) => {
      relay(client, request, (piece) => {
        client.write(piece.subarray(0, Math.floor(piece.length * random())), () => client.destroy());
      });
    },
    trickle: (client, request) => {
      const pieces: Buffer[] = [];
      relay(
        client,
        request,
        (piece) => pieces.push(piece),
        () => {
          const rest = Buffer.concat(pieces);
          const drop = (from: number) => {
            if (from >= rest.length || client.destroyed) return void client.end();
            client.write(rest.subarray(from, from + 40));
            after(15, () => {
              drop(from + 40);
            });
          };
          drop(0);
        },
      );
    },
    stall: (client, request) => {
      // The server does what it is asked to, and nobody ever hears of it.
      pass(client, request).resume();
    },
    duplicate: (client, request) => {
      const [line = ''] = request.toString('latin1').split('\r\n');
      duplicates.set(line, (duplicates.get(line) ?? 0) + 1);
      pass(client, request).resume();
      relay(client, request, (piece) => client.write(piece));
    },
    reorder: (client, request) => {
      // It is answered after the next that is held back, or in the end anyway.
      const pieces: Buffer[] = [];
      relay(
        client,
        request,
        (piece) => pieces.push(piece),
        () => {
          const go = () => {
            if (!client.destroyed) client.end(Buffer.concat(pieces));
          };
          const earlier = release;
          release = go;
          after(400, go);
          earlier?.();
        },
      );
    },
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    all.add(client);
    client
      .on('error', () => undefined)
      .on('close', () => {
        all.delete(client);
        spoiled.delete(client);
      });
    // Whoever sends has sent it all with its first piece, or a moment later.
    const pieces: Buffer[] = [];
    client.on('data', (piece) => pieces.push(piece));
    client.once('data', () => {
      after(5, () => {
        const request = Buffer.concat(pieces);
        if (weather === 'broken') {
          client.resetAndDestroy();
          return;
        }
        if (weather === 'calm' || random() >= share) {
          relay(client, request, (piece) => client.write(piece));
          return;
        }
        const fault = deal();
        done[fault]++;
        spoiled.add(client);
        spoil[fault](client, request);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    done,
    duplicates,
    breakDown: () => {
      weather = 'broken';
      for (const client of spoiled) client.destroy();
    },
    calm: () => {
      weather = 'calm';
      for (const client of spoiled) client.destroy();
    },
    close: () => {
      server.close();
      for (const socket of all) socket.destroy();
    },
  };
}
