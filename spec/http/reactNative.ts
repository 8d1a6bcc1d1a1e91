/** What React Native has in the place of the platform's classes. */

/** The platform's own. */
const Parser = URL;

/** Like React Native's: takes text only, appends to the base instead of resolving, and has no setters. */
export class NativeUrl {
  readonly #parsed: URL;

  constructor(url: string, base?: string) {
    if (typeof url !== 'string') throw new TypeError('this._url.includes is not a function');
    const isAbsolute = base === undefined || url.includes('://');
    this.#parsed = new Parser(isAbsolute ? url : base.replace(/\/$/, '') + url.replace(/^\/?/, '/'));
    Object.freeze(this);
  }

  static {
    for (const name of ['protocol', 'username', 'password', 'origin', 'host', 'hostname', 'pathname', 'search', 'hash'])
      Object.defineProperty(this.prototype, name, {
        get(this: NativeUrl) {
          return this.#parsed[name as keyof URL];
        },
      });
  }

  get href(): string {
    return this.#parsed.href;
  }
}

/** Like React Native's: it makes a copy of the members of another one, not of what that holds. */
export class NativeSearchParams extends URLSearchParams {
  constructor(init?: ConstructorParameters<typeof URLSearchParams>[0]) {
    super(init instanceof URLSearchParams ? { _searchParams: '[object Map]' } : init);
  }
}
