/** The streams of one key that the pool has dropped: somebody may hold them, or have sent requests with their tokens. */
import { weakTarget, type WeakTarget } from './weakTarget.js';

/** What is dropped. */
interface Dropped {
  activate(): { signOut(): void };
}

export class DroppedStreams {
  /** Weakly, so that one that somebody holds does not keep the others. */
  private readonly entries = new Set<WeakTarget<Dropped>>();

  add(entry: Dropped): this {
    for (const other of this.entries) if (!other.deref()) this.entries.delete(other);
    this.entries.add(weakTarget(entry));
    return this;
  }

  /** The session of the key has ended, of which they do not hear. */
  signOut(): void {
    for (const entry of this.entries) entry.deref()?.activate().signOut();
  }
}
