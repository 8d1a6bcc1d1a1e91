import { HttpStatusCode } from 'axios';
import { trackRedirects } from '../../src/axios/redirects.js';

/** What a follower of redirects hands to `beforeRedirect` when it is led to `href`. */
const hopTo = (href: string) => ({ href, headers: { AUTHORIZATION: 'Bearer SECRET', accept: '*/*' } });
const follow = (redirects: ReturnType<typeof trackRedirects>, href: string) => {
  const hop = hopTo(href);
  redirects.beforeRedirect(
    hop,
    { headers: {}, statusCode: HttpStatusCode.Found },
    { headers: {}, url: '', method: 'GET' },
  );
  return hop.headers;
};

// The axios of today takes the header off too; those of 1.5 to 1.13 rely on a package that lets it pass to subdomains.
describe('a redirect', () => {
  it.each(['https://api.example/b', 'https://api.example:443/c?d'])('to %s should keep the token', (href) => {
    const redirects = trackRedirects('https://api.example/a', 'POST', undefined);
    expect(follow(redirects, href)).toEqual(hopTo('').headers);
    expect(redirects.hadToken({})).toBe(true);
  });

  it.each([
    'https://x.api.example/',
    'https://example/',
    'https://api.example:444/',
    'http://api.example/',
    'nonsense',
  ])('to %s should lose it, and not find it again on the way back', (href) => {
    const redirects = trackRedirects('https://api.example/a', 'POST', undefined);
    expect(follow(redirects, href)).toEqual({ accept: '*/*' });
    expect(follow(redirects, 'https://api.example/a')).toEqual({ accept: '*/*' });
    expect(redirects.hadToken({})).toBe(false);
  });

  it('should be known from where a browser says the answer came', () => {
    const { hadToken } = trackRedirects('https://api.example/a', 'POST', undefined);
    expect(hadToken({ request: { responseURL: 'https://api.example/b' } })).toBe(true);
    expect(hadToken({ request: { responseURL: 'https://elsewhere.example/b' } })).toBe(false);
  });

  it.each([
    ['POST', 'https://api.example/b', true],
    ['POST', 'https://api.example/a?b', false],
    ['POST', '/b', false],
    ['POST', undefined, false],
    ['GET', 'https://api.example/b', false],
    ['HEAD', 'https://api.example/b', false],
  ])('should say that what was sent may have been accepted: %s answered by %s: %p', (method, responseURL, accepted) => {
    const { acceptedBefore } = trackRedirects('https://api.example/a', method, undefined);
    expect(acceptedBefore({ request: { responseURL } })).toBe(accepted);
  });

  it.each([
    ['PATCH', 'PATCH', HttpStatusCode.MovedPermanently, true],
    ['PUT', 'PUT', HttpStatusCode.Found, true],
    ['DELETE', 'GET', HttpStatusCode.SeeOther, true],
    ['POST', 'GET', HttpStatusCode.Found, true],
    ['GET', 'GET', HttpStatusCode.Found, false],
    ['HEAD', 'HEAD', HttpStatusCode.MovedPermanently, false],
    ['PATCH', 'PATCH', HttpStatusCode.TemporaryRedirect, false],
    ['POST', 'POST', HttpStatusCode.PermanentRedirect, false],
  ])('should count %s that was led on as %s after a %i as accepted: %p', (method, next, statusCode, accepted) => {
    const redirects = trackRedirects('https://api.example/a', method, undefined);
    const hop = { href: 'https://api.example/b', method: next, headers: {} };
    redirects.beforeRedirect(hop, { headers: {}, statusCode }, { headers: {}, url: '', method });
    expect(redirects.acceptedBefore({})).toBe(accepted);
  });
});
