/** A map of at most `max` entries, which drops the one that was used least recently. */

/**
 * So many entries that are in use are passed over to find one that may be let go of. The next search goes on from
 * there.
 */
const LONGEST_SEARCH = 32;

export interface RecentlyUsedOptions<E> {
  readonly max: number;
  readonly isInUse: (entry: E) => boolean;
  readonly letGo: (entry: E) => void;
}

/** At most `max` entries, and those above that are in use. */
export interface RecentlyUsed<E> {
  /** The entry, which counts as used now. */
  use(name: string): E | undefined;
  /** Lets go of the least recently used entry that is not in use, if there is no room. */
  add(name: string, entry: E): void;
  /** Forgets an entry, and returns it. */
  take(name: string): E | undefined;
  /** Forgets all, one after the other: they may be too many to be at hand at once. */
  takeAll(): Iterable<E>;
  size(): number;
}

/** An entry, between the one that was used before it and the one that was used after it. */
class Item<E> {
  older: Item<E> | null = null;
  newer: Item<E> | null = null;

  constructor(
    readonly name: string,
    readonly entry: E,
  ) {}
}

/**
 * A linked list beside the Map, and not the order of the Map: V8 takes ever longer to find a key that is deleted and
 * set again and again.
 */
export function recentlyUsed<E>({ max, isInUse, letGo }: RecentlyUsedOptions<E>): RecentlyUsed<E> {
  const items = new Map<string, Item<E>>();
  let oldest: Item<E> | null = null;
  let newest: Item<E> | null = null;

  function append(item: Item<E>): void {
    item.older = newest;
    item.newer = null;
    if (newest) newest.newer = item;
    else oldest = item;
    newest = item;
  }

  function unlink({ older, newer }: Item<E>): void {
    if (older) older.newer = newer;
    else oldest = newer;
    if (newer) newer.older = older;
    else newest = older;
  }

  function touch(item: Item<E>): void {
    if (item === newest) return;
    unlink(item);
    append(item);
  }

  function remove(item: Item<E>): E {
    items.delete(item.name);
    unlink(item);
    return item.entry;
  }

  /** What is in use counts as used now: the search for room would else begin with the same entries each time. */
  function makeRoom(added: Item<E>): void {
    for (let left = LONGEST_SEARCH; oldest && oldest !== added && items.size > max && left > 0;) {
      if (isInUse(oldest.entry)) {
        touch(oldest);
        left--;
      } else letGo(remove(oldest));
    }
  }

  return {
    use: (name) => {
      const item = items.get(name);
      if (item) touch(item);
      return item?.entry;
    },
    add: (name, entry) => {
      const item = new Item(name, entry);
      items.set(name, item);
      append(item);
      makeRoom(item);
    },
    take: (name) => {
      const item = items.get(name);
      return item && remove(item);
    },
    *takeAll() {
      while (oldest) yield remove(oldest);
    },
    size: () => items.size,
  };
}
