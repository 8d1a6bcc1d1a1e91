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
  use(id: string): E | undefined;
  /** Lets go of the least recently used entry that is not in use, if there is no room. */
  add(id: string, entry: E): void;
  /** Forgets an entry, and returns it. */
  take(id: string): E | undefined;
  /** Forgets all, one after the other: they may be too many to be at hand at once. */
  takeAll(): Iterable<E>;
  size(): number;
}

export function recentlyUsed<E>({ max, isInUse, letGo }: RecentlyUsedOptions<E>): RecentlyUsed<E> {
  /** The least recently used first. */
  const entries = new Map<string, E>();

  function take(id: string): E | undefined {
    const entry = entries.get(id);
    entries.delete(id);
    return entry;
  }

  /** What is in use counts as used now: the search for room would else begin with the same entries each time. */
  function makeRoom(): void {
    let left = LONGEST_SEARCH;
    for (const [id, entry] of entries) {
      if (entries.size < max || left === 0) return;
      entries.delete(id);
      if (isInUse(entry)) {
        entries.set(id, entry);
        left--;
      } else letGo(entry);
    }
  }

  return {
    use: (id) => {
      const entry = take(id);
      if (entry !== undefined) entries.set(id, entry);
      return entry;
    },
    add: (id, entry) => {
      makeRoom();
      entries.set(id, entry);
    },
    take,
    *takeAll() {
      for (const [id, entry] of entries) {
        entries.delete(id);
        yield entry;
      }
    },
    size: () => entries.size,
  };
}
