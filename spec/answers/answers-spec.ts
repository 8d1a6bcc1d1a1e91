import { isHtml, limitsRate } from '../../src/answers/anotherTry.js';
import { errorCodeOf, saysError } from '../../src/answers/errorCode.js';
import { headerOf } from '../../src/answers/members.js';
import { failedStatusIn, statusOf } from '../../src/answers/status.js';
import { fieldsOf } from '../../src/internal/fieldsOf.js';

describe('fieldsOf', () => {
  it('should be the object itself', () => {
    const value = { status: 5 };
    expect(fieldsOf(value)).toBe(value);
  });

  it.each([undefined, null, 5, 'text', true, Symbol('x'), () => 5])('should have no fields for %p', (value) => {
    expect(fieldsOf(value)).toEqual({});
  });
});

describe('statusOf', () => {
  it.each<[string, unknown, number | undefined]>([
    ['a Response', new Response(null, { status: 401 }), 401],
    ["ajax' error", { status: 403, xhr: {} }, 403],
    ["Angular's error", { status: 0, error: new Error('x') }, 0],
    ["axios' error", { status: undefined, response: { status: 401 } }, 401],
    ["got's error", { response: { statusCode: 401, body: '' } }, 401],
    ["ky's error", Object.assign(new Error('x'), { response: new Response(null, { status: 503 }) }), 503],
    ['a body that repeats it', { statusCode: 400, message: 'no' }, 400],
    ['its own before that of its response', { status: 500, response: { status: 401 } }, 500],
    ["wreck's error, and so simple-oauth2's", { data: { res: { statusCode: 401 } } }, 401],
    ["Apollo Client 3's error", { networkError: { response: new Response(null, { status: 401 }) } }, 401],
    ["tRPC's error", { data: {}, meta: { response: new Response(null, { status: 401 }) } }, 401],
    [
      "tRPC's error of one call of a batch",
      { shape: {}, data: { httpStatus: 401 }, meta: { response: new Response(null, { status: 207 }) } },
      401,
    ],
    ["Okta's error", { errorCode: 'E0000004', xhr: { status: 401, headers: {} } }, 401],
    ["AWS' error", { $response: { statusCode: 400 }, $metadata: { httpStatusCode: 400 } }, 400],
    ["ajax' error before its XMLHttpRequest", { response: null, xhr: { status: 503 } }, 503],
    ['status before statusCode', { status: 401, statusCode: 500 }, 401],
    ['that of its response, where its own is no number', { status: 'error', response: { status: 401 } }, 401],
    ['ApiException of clients that openapi-generator makes', { code: 401, body: '', headers: {} }, 401],
    ['the least code that is a status of an error', { code: 400 }, 400],
    ['the greatest', { code: 599 }, 599],
    ['a code beyond it', { code: 600 }, undefined],
    ["gRPC's error on the wire", { code: 16, details: '', path: '/a' }, 401],
    ["another's code 16 with details", { code: 16, details: '' }, undefined],
    ["another's code 16 with a path", { code: 16, path: '/a' }, undefined],
    ['a code that is no status of an error', { code: 200, headers: {} }, undefined],
    ['a code in letters', { code: 'ENOTFOUND', headers: {} }, undefined],
    ["Feathers', Appwrite's and MCP's error", Object.assign(new Error('no'), { code: 401 }), 401],
    ["Shopify's error, whose response has a code", { response: { code: 401, headers: {} } }, 401],
    ["Kiota's error", Object.assign(new Error('no'), { responseStatusCode: 401 }), 401],
    ["Box' error", { responseInfo: { statusCode: 400, headers: {} } }, 400],
    ["Stytch's error", { status_code: 404, error_type: 'session_not_found' }, 404],
    ["MongoDB's error", Object.assign(new Error('no'), { code: 404, codeName: 'LDAPRoleAcquisitionError' }), undefined],
    ['a code that is small', Object.assign(new Error('no'), { code: 16 }), undefined],
    ["gRPC's error that no one is signed in", { code: 16, details: 'no', metadata: {} }, 401],
    ["Connect's error that no one is signed in", { code: 16, details: [], metadata: new Headers() }, 401],
    ["gRPC's other error", { code: 14, details: 'no', metadata: {} }, undefined],
    ["a DOMException's code", new DOMException('no', 'AbortError'), undefined],
    ["a process' exit", Object.assign(new Error('no'), { code: 255 }), undefined],
    ['a code beside a response that succeeded', { code: 401, response: { status: 200, headers: {} } }, 401],
    ['a number of its own beside a response', { code: 481, response: { status: 401, headers: {} } }, 401],
    ["a socket's close", Object.assign(new Error('no'), { code: 4401 }), undefined],
    ['a body that repeats it in its code', { code: 404, message: 'no' }, 404],
    ['a status in letters', { status: '401' }, undefined],
    ['a response in words', { response: 'refused' }, undefined],
    ['an Error', new Error('401'), undefined],
    ['null', null, undefined],
    ['a number', 401, undefined],
  ])('should read %s', (_kind, answer, status) => {
    expect(statusOf(answer)).toBe(status);
  });
});

describe('errorCodeOf', () => {
  const error = 'invalid_grant';

  it.each<[string, unknown, string | undefined]>([
    ['a parsed body', { error, error_description: 'x' }, error],
    ['an error of ours, or of openid-client', Object.assign(new Error('x'), { error }), error],
    ["axios' error", { response: { status: 400, data: { error } } }, error],
    ["axios' error with a body in text", { response: { data: JSON.stringify({ error }) } }, error],
    ["got's error", { response: { statusCode: 400, body: { error } } }, error],
    ["got's error with a body in text", { response: { body: JSON.stringify({ error }) } }, error],
    ["ajax' error", { status: 400, response: { error } }, error],
    ["ajax' error with a body in text", { status: 400, response: JSON.stringify({ error }) }, error],
    ["oauth4webapi's error", { cause: 1, error, response: new Response(null) }, error],
    ["simple-oauth2's error", { data: { res: { statusCode: 400 }, payload: { error } } }, error],
    ["wreck's error with a Buffer", { data: { payload: Buffer.from(JSON.stringify({ error })) } }, error],
    ["@badgateway/oauth2-client's error", Object.assign(new Error('x'), { oauth2Code: error }), error],
    ['the data of a response', { data: { error } }, error],
    ['its own before that of its response', { error, response: { data: { error: 'other' } } }, error],
    ['the code of an error that is an object', { error: { code: error } }, error],
    ["Angular's body", { status: 400, error: { error } }, error],
    ["Angular's body as text", { status: 400, error: JSON.stringify({ error }) }, error],
    ['a list in the body that Angular and request-promise keep', { error: { errors: [{ code: error }] } }, error],
    ["Google's list in it", { error: { error: { errors: [{ reason: 'rateLimitExceeded' }] } } }, 'rateLimitExceeded'],
    ["Firebase's limit in it", { error: { error: { message: 'QUOTA_EXCEEDED : no' } } }, 'QUOTA_EXCEEDED'],
    ["AWS' type in it", { error: { __type: 'TooManyRequestsException' } }, 'TooManyRequestsException'],
    [
      "Supabase's body in it",
      { error: { code: 400, error_code: 'over_request_rate_limit' } },
      'over_request_rate_limit',
    ],
    ['the errors of Apollo Client 3 and urql', { graphQLErrors: [{ extensions: { code: 'FORBIDDEN' } }] }, 'FORBIDDEN'],
    [
      "angular-oauth2-oidc's event",
      { type: 'code_error', reason: {}, params: { error: 'login_required' } },
      'login_required',
    ],
    ["superagent's error, of a body that is not called JSON", { response: { text: JSON.stringify({ error }) } }, error],
    ["got's error with a Buffer", { response: { body: Buffer.from(JSON.stringify({ error })) } }, error],
    [
      "axios' error with an ArrayBuffer",
      { response: { data: new TextEncoder().encode(JSON.stringify({ error })).buffer } },
      error,
    ],
    ['a Buffer that is no JSON', { response: { body: Buffer.from([0xff, 0x00]) } }, undefined],
    ['the text of a Response, which is a function', { response: new Response('{"error":"invalid_grant"}') }, undefined],
    ['a list of errors', { response: { data: { errors: [{ message: 'no' }, { code: error }] } } }, error],
    ['a list of errors in words', { errors: ['no', null, { code: 'user_not_found' }, 5] }, undefined],
    ["Arctic's error", Object.assign(new Error('x'), { code: error }), error],
    ['a code of the client that says that the request was cancelled', { code: 'cancelled' }, undefined],
    ['a code of the system', { code: 'ECONNRESET' }, undefined],
    ["Box' error", { responseInfo: { statusCode: 400, body: { error } } }, error],
    ['one error in the place of a list', { errors: { code: error } }, error],
    ["Supabase's body", { response: { data: { code: 'hook_timeout', message: 'no' } } }, 'hook_timeout'],
    ["Supabase's older body", { data: { code: 422, error_code: 'hook_timeout' } }, 'hook_timeout'],
    ["Supabase's error", Object.assign(new Error('x'), { status: 422, code: 'hook_timeout' }), 'hook_timeout'],
    ["Google's older error", { error: { code: 403, errors: [{ reason: 'rateLimitExceeded' }] } }, 'rateLimitExceeded'],
    ["Google's reason that is no limit", { error: { errors: [{ reason: 'forbidden' }] } }, undefined],
    ["Meta's passing fault", { error: { code: 2, is_transient: true } }, 'temporarily_unavailable'],
    ["Meta's other fault", { error: { code: 190, is_transient: false } }, undefined],
    ["Firebase's limit", { error: { code: 400, message: 'QUOTA_EXCEEDED : Exceeded quota' } }, 'QUOTA_EXCEEDED'],
    ["Firebase's other message", { error: { code: 400, message: 'TOKEN_EXPIRED' } }, undefined],
    ["MSAL's error", Object.assign(new Error('x'), { errorCode: error }), error],
    ["MSAL's error of the network", Object.assign(new Error('x'), { errorCode: 'network_error' }), undefined],
    ['no code of the network', { error: { code: 'ECONNRESET' } }, undefined],
    ['an empty error', { error: '' }, undefined],
    ['a body that is a form', { response: { data: `error=${error}&error_description=no` } }, error],
    ['a body that is prose', { response: { data: `error: ${error}` } }, undefined],
    ['a page', { data: '<html>' }, undefined],
    ["ServiceNow's refusal", { error: 'server_error', error_description: 'access_denied' }, 'access_denied'],
    ['a description that is a code', { error: 'invalid_client', error_description: error }, 'invalid_client'],
    [
      'a description in words',
      { error: 'server_error', error_description: 'access_denied: try later' },
      'server_error',
    ],
    ['an Error', new Error(error), undefined],
    ['a string', error, undefined],
    ['null', null, undefined],
  ])('should read %s', (_kind, answer, code) => {
    expect(errorCodeOf(answer)).toBe(code);
  });
});

describe('isHtml', () => {
  it.each<[string, unknown, boolean]>([
    ['a Response', new Response('x', { headers: { 'content-type': 'text/html; charset=utf-8' } }), true],
    ['a page that is XML', new Response('x', { headers: { 'content-type': 'application/xhtml+xml' } }), true],
    ['a page in the body', { response: { data: '\n<!DOCTYPE html>' } }, true],
    ["a page in the body of got's error", { response: { body: '<html>' } }, true],
    ["a page in superagent's error", { response: { text: '<html>' } }, true],
    ['a page in the text of ajax', { response: '<html lang="en">' }, true],
    ['a page in bytes', { response: { body: new TextEncoder().encode('<!-- 403 --><html>') } }, true],
    ["a page in Angular's error", { error: '<h1>Forbidden</h1>' }, true],
    ['XML', { response: { headers: { 'content-type': 'text/xml' }, data: '<ErrorResponse>' } }, false],
    ['XML of no known type', { response: { data: '<?xml version="1.0"?><Error>' } }, false],
    ['a page that says it is JSON', { headers: { 'content-type': 'application/json' }, data: '<html>' }, false],
    ['JSON', new Response('{}', { headers: { 'content-type': 'application/json' } }), false],
    ['JSON that quotes a page', { response: { data: '{"a":"<html>"}' } }, false],
    ['a parsed body', { response: { data: { error: 'x' } } }, false],
    ['an Error', new Error('<html>'), false],
    ['null', null, false],
  ])('should judge %s', (_kind, answer, html) => {
    expect(isHtml(answer)).toBe(html);
  });
});

describe('headerOf', () => {
  const name = 'www-authenticate';
  const headers = new Headers({ [name]: 'Bearer' });

  it.each<[string, unknown, string | undefined]>([
    ['a Response', new Response(null, { headers }), 'Bearer'],
    ['a record', { headers: { [name]: 'Bearer' } }, 'Bearer'],
    [
      'headers with a get() of their own, as those of Angular and axios',
      { headers: { get: (key: string) => (key === name ? 'Bearer' : null) } },
      'Bearer',
    ],
    ['the response that an error carries', Object.assign(new Error('x'), { response: { headers } }), 'Bearer'],
    ['a record of the response that an error carries', { response: { headers: { [name]: 'Bearer' } } }, 'Bearer'],
    ["wreck's error", { data: { res: { statusCode: 401, headers: { [name]: 'Bearer' } } } }, 'Bearer'],
    ["Box' error", { responseInfo: { headers: { [name]: 'Bearer' } } }, 'Bearer'],
    ["Okta's error", { xhr: { status: 401, headers: { [name]: 'Bearer' } } }, 'Bearer'],
    ["AWS' error", { $metadata: {}, $response: { statusCode: 401, headers: { [name]: 'Bearer' } } }, 'Bearer'],
    ["Kiota's error", { responseStatusCode: 401, responseHeaders: { [name]: ['Bearer'] } }, 'Bearer'],
    ["the error's own before its response's", { headers: { [name]: 'own' }, response: { headers } }, 'own'],
    ["the response's where its own lack it", { headers: {}, response: { headers } }, 'Bearer'],
    ['an XMLHttpRequest', { xhr: { getResponseHeader: (key: string) => (key === name ? 'Bearer' : null) } }, 'Bearer'],
    ['an empty header', { headers: { [name]: '' } }, ''],
    ['an XMLHttpRequest without the header', { xhr: { getResponseHeader: () => null } }, undefined],
    ['an xhr that is none', { xhr: {} }, undefined],
    ['a Response without the header', new Response(null), undefined],
    ['a list instead of a text', { headers: { [name]: ['Bearer'] } }, 'Bearer'],
    ['a response in words', { response: 'refused', headers: 'none' }, undefined],
    ['null', null, undefined],
    ['a string', 'Bearer', undefined],
  ])('should read %s', (_kind, answer, value) => {
    expect(headerOf(answer, name)).toBe(value);
  });
});

describe('failedStatusIn', () => {
  it.each<[unknown, number | undefined]>([
    [{ status: 401 }, 401],
    [{ statusCode: 503 }, 503],
    [{ status_code: 400 }, 400],
    [{ code: '403' }, 403],
    [{ errorCode: 404 }, 404],
    [{ error_code: 429 }, 429],
    [{ error: 500 }, 500],
    [{ error: { code: 401 } }, 401],
    [{ errors: [{ status: '422 Unprocessable' }] }, 422],
    [{ errors: [{ extensions: { code: 401 } }] }, 401],
    [{ errors: [{ extensions: { http: { status: 401 } } }] }, 401],
    [{ errors: [{ extensions: { response: { status: 502 } } }] }, 502],
    [{ status: 200 }, undefined],
    [{ status: 2554 }, undefined],
    [{ status: 4012 }, undefined],
    [{ status: 'E401' }, undefined],
    [{ status: [401] }, undefined],
    [{}, undefined],
    [null, undefined],
  ])('should be read in %j: %p', (body, status) => {
    expect(failedStatusIn(body)).toBe(status);
  });
});

describe('a body', () => {
  it.each<[unknown, boolean]>([
    [{ error: 'oops' }, true],
    [{ error: { any: 1 } }, true],
    [{ errors: [{}] }, true],
    [{ errorCode: 'invalid_grant' }, true],
    [{ status: 401 }, true],
    [{ error: false, errors: null }, false],
    [{ error: '', errors: [] }, false],
    [{ error: {} }, false],
    [{ access_token: 'T' }, false],
  ])('should report an error or not: %j %p', (body, isError) => {
    expect(saysError(body)).toBe(isError);
  });
});

describe('limitsRate', () => {
  it('should read the headers of whatever carries them', () => {
    expect(limitsRate({ response: { headers: { 'X-RateLimit-Remaining': 0 } } })).toBe(true);
    expect(limitsRate({ headers: { 'x-ratelimit-remaining': 1 } })).toBe(false);
  });
});
