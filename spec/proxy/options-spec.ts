import { settingsOf } from '../../src/proxy/options.js';

const settings = (options: object = {}) => settingsOf({ to: 'https://api.example.com', ...options });

describe('the options of the proxy', () => {
  it('should by default serve this machine only, over TLS, and refuse a request with an Authorization', () => {
    expect(settings()).toEqual({
      to: new URL('https://api.example.com'),
      prefix: '',
      allowInsecureRequests: false,
      allowRemoteClients: false,
      hosts: new Set(),
      incomingAuthorization: 'refuse',
      isRejection: undefined,
      agent: undefined,
      log: undefined,
      repeatLimit: 1_048_576,
      timeout: 300_000,
    });
  });

  it.each([
    ['https://api.example.com/v1/', '/v1'],
    ['https://api.example.com/v1//', '/v1'],
    [new URL('https://api.example.com/'), ''],
  ])('should put the path of %s before each path', (to, prefix) => {
    expect(settings({ to }).prefix).toBe(prefix);
  });

  it('should take the longest timeout of a timer, and none above', () => {
    expect(settings({ timeout: 2 ** 31 - 1 }).timeout).toBe(2 ** 31 - 1);
    expect(() => settings({ timeout: 2 ** 31 })).toThrow('option "timeout"');
  });

  it('should take host names and addresses in any case, those of IPv6 with brackets or without', () => {
    const allowedHosts = ['Token-Proxy.svc', 'a', '10.0.0.1', 'fd00::5', '[FD00::6]'];
    expect([...settings({ allowedHosts }).hosts]).toEqual([
      'token-proxy.svc',
      'a',
      '10.0.0.1',
      '[fd00::5]',
      '[fd00::6]',
    ]);
  });

  it.each(['', 'a:80', '.svc', 'a b', 'a/b', '[fd00::5]:80', 7, null])('should take no other host: %j', (host) => {
    expect(() => settings({ allowedHosts: ['a', host] })).toThrow('option "allowedHosts[1]" must be a host name');
  });

  it.each([['allowInsecureRequests'], ['allowRemoteClients']])('should take true or false only: %s', (name) => {
    expect(() => settings({ [name]: 'yes' })).toThrow(`option "${name}" must be true or false, got "yes"`);
  });

  it.each<[string, unknown, string]>([
    ['to', 7, 'option "to" must be an absolute URL such as https://api.example.com, got 7'],
    ['to', 'xhttps://a', 'option "to" must be an absolute URL such as https://api.example.com, got "…"'],
    ['allowedHosts', 'a', 'option "allowedHosts" must be an array of host names, got "a"'],
    ['incomingAuthorization', 'keep', 'option "incomingAuthorization" must be "refuse" or "replace", got "keep"'],
  ])('should say what is wrong with %s: %j', (name, value, message) => {
    expect(() => settings({ [name]: value })).toThrow(message);
  });
});
