import { HttpStatusCode } from 'axios';
import { trailFrom } from '../../src/axios/redirects.js';

/** What a follower of redirects hands to `beforeRedirect` when it is led to `href`. */
const hopTo = (href: string) => ({ href, headers: { AUTHORIZATION: 'Bearer SECRET', accept: '*/*' } });
const follow = (trail: ReturnType<typeof trailFrom>, href: string) => {
  const hop = hopTo(href);
  trail.beforeRedirect(hop, { headers: {}, statusCode: HttpStatusCode.Found }, { headers: {}, url: '', method: 'GET' });
  return hop.headers;
};

// The axios of today takes the header off too; those of 1.5 to 1.13 rely on a package that lets it pass to subdomains.
describe('a redirect', () => {
  it.each(['https://api.example/b', 'https://api.example:443/c?d'])('to %s should keep the token', (href) => {
    const trail = trailFrom('https://api.example/a', undefined);
    expect(follow(trail, href)).toEqual(hopTo('').headers);
    expect(trail.carried({})).toBe(true);
  });

  it.each([
    'https://x.api.example/',
    'https://example/',
    'https://api.example:444/',
    'http://api.example/',
    'nonsense',
  ])('to %s should lose it, and not find it again on the way back', (href) => {
    const trail = trailFrom('https://api.example/a', undefined);
    expect(follow(trail, href)).toEqual({ accept: '*/*' });
    expect(follow(trail, 'https://api.example/a')).toEqual({ accept: '*/*' });
    expect(trail.carried({})).toBe(false);
  });

  it('should be known from where a browser says the answer came', () => {
    const { carried } = trailFrom('https://api.example/a', undefined);
    expect(carried({ request: { responseURL: 'https://api.example/b' } })).toBe(true);
    expect(carried({ request: { responseURL: 'https://elsewhere.example/b' } })).toBe(false);
  });
});
