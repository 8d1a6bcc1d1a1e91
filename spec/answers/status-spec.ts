import { failedStatusIn, statusOf } from '../../src/answers/status.js';

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
    [{}, undefined],
    [null, undefined],
  ])('should be read in %j: %p', (body, status) => {
    expect(failedStatusIn(body)).toBe(status);
  });
});
