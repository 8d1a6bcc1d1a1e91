/** The public functions with which the caller chooses, for one request, whose token it carries or that it has none. */
import { HttpContext, HttpContextToken } from '@angular/common/http';

/** A request that carries no token. */
export const WITHOUT_TOKEN = /* @__PURE__ */ new HttpContextToken(() => false);

/** The name of the stream whose token a request carries; undefined: the request's URL decides. */
export const TOKEN_OF = /* @__PURE__ */ new HttpContextToken<string | undefined>(() => undefined);

/**
 * The context of a request that carries no token, even to an allowed origin.
 *
 * ```ts
 * http.get('https://api.example.com/health', { context: withoutToken() });
 * ```
 *
 * @param context one to add this to. Default: a new one.
 */
export const withoutToken = (context: HttpContext = new HttpContext()): HttpContext => context.set(WITHOUT_TOKEN, true);

/**
 * The context of a request that carries the token of the stream with this name, whatever `paths` and `exceptPaths` say.
 * A request outside of that stream's `allowedOrigins` fails with {@link OriginNotAllowedError}.
 *
 * ```ts
 * http.delete('https://api.example.com/users/7', { context: withTokenOf('admin') });
 * ```
 *
 * @param name the option `name` of `provideTokenStream`
 * @param context one to add this to. Default: a new one.
 */
export const withTokenOf = (name: string, context: HttpContext = new HttpContext()): HttpContext =>
  context.set(TOKEN_OF, name);
