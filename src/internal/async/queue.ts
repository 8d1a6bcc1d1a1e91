/** A queue for asynchronous work that must not overlap, such as the writes of a file. */

/** Runs one piece of work after another, in the order of the calls, whether they succeed or fail. */
export type Queue = <T>(work: () => Promise<T>) => Promise<T>;

export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}
