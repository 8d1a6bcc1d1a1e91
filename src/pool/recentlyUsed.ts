/** A map of at most `max` entries, which drops the one that was used least recently. */

/**
 * So many entries that are in use are passed over to find one that may be let go of. The next search goes on from
 * there.
 */
const LONGEST_SEARCH = 32;

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
 * At most `max` entries, and those above that are in use.
 *
 * A linked list beside the Map, and not the order of the Map: V8 takes ever longer to find a key that is deleted and
 * set again and again.
 */
export class RecentlyUsed<E> {
  private readonly items = new Map<string, Item<E>>();
  private oldest: Item<E> | null = null;
  private newest: Item<E> | null = null;

  constructor(
    private readonly max: number,
    private readonly isInUse: (entry: E) => boolean,
    private readonly letGo: (entry: E) => void,
  ) {}

  get size(): number {
    return this.items.size;
  }

  /** The entry, which counts as used now. */
  use(name: string): E | undefined {
    const item = this.items.get(name);
    if (item) this.touch(item);
    return item?.entry;
  }

  /** Lets go of the least recently used entry that is not in use, if there is no room. */
  add(name: string, entry: E): void {
    const item = new Item(name, entry);
    this.items.set(name, item);
    this.append(item);
    this.makeRoom(item);
  }

  /** Forgets an entry, and returns it. */
  take(name: string): E | undefined {
    const item = this.items.get(name);
    return item && this.remove(item);
  }

  /** Forgets all, one after the other: they may be too many to be at hand at once. */
  *takeAll(): Iterable<E> {
    while (this.oldest) yield this.remove(this.oldest);
  }

  /** What is in use counts as used now: the search for room would else begin with the same entries each time. */
  private makeRoom(added: Item<E>): void {
    for (let left = LONGEST_SEARCH; left > 0 && this.items.size > this.max;) {
      const { oldest } = this;
      if (!oldest || oldest === added) return;
      if (this.isInUse(oldest.entry)) {
        this.touch(oldest);
        left--;
      } else this.letGo(this.remove(oldest));
    }
  }

  private touch(item: Item<E>): void {
    if (item === this.newest) return;
    this.unlink(item);
    this.append(item);
  }

  private remove(item: Item<E>): E {
    this.items.delete(item.name);
    this.unlink(item);
    return item.entry;
  }

  private append(item: Item<E>): void {
    item.older = this.newest;
    item.newer = null;
    if (this.newest) this.newest.newer = item;
    else this.oldest = item;
    this.newest = item;
  }

  private unlink({ older, newer }: Item<E>): void {
    if (older) older.newer = newer;
    else this.oldest = newer;
    if (newer) newer.older = older;
    else this.newest = older;
  }
}
