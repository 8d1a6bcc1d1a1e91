import type { AdapterPayload } from 'oidc-provider';

/**
 * Where the authorization server keeps its state. JWT access tokens need none, so a Map that dies with the run is
 * enough.
 */
export class MemoryAdapter {
  readonly #rows = new Map<string, AdapterPayload>();

  upsert(id: string, payload: AdapterPayload): Promise<void> {
    this.#rows.set(id, payload);
    return Promise.resolve();
  }

  find(id: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(this.#rows.get(id));
  }

  findByUserCode(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  findByUid(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  consume(): Promise<void> {
    return Promise.resolve();
  }

  destroy(id: string): Promise<void> {
    this.#rows.delete(id);
    return Promise.resolve();
  }

  revokeByGrantId(): Promise<void> {
    return Promise.resolve();
  }
}
