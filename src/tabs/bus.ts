import { NEVER, Observable, share } from 'rxjs';

export interface Bus {
  /** What other tabs post. The channel is open while somebody listens. */
  readonly posted$: Observable<unknown>;
  post(data: object): void;
}

/** A BroadcastChannel as a stream; silent where there is none. */
export function openBus(name: string): Bus {
  if (typeof BroadcastChannel !== 'function') return { posted$: NEVER, post: () => undefined };
  let channel: BroadcastChannel | null = null;

  const open = () => {
    const opened = new BroadcastChannel(name);
    // Node's would keep the process alive.
    (opened as { unref?: () => void }).unref?.();
    return opened;
  };

  return {
    // Hand-made, since it is also what is posted to: a tab must not hear itself.
    posted$: new Observable<unknown>((subscriber) => {
      const mine = (channel = open());
      mine.onmessage = ({ data }: MessageEvent<unknown>) => {
        subscriber.next(data);
      };
      return () => {
        mine.close();
        channel = null;
      };
    }).pipe(share({ resetOnRefCountZero: true })),
    post: (data) => {
      const to = channel ?? open();
      to.postMessage(data);
      if (to !== channel) to.close();
    },
  };
}
