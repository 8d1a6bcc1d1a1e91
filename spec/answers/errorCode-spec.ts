import { errorCodeOf, saysError } from '../../src/answers/errorCode.js';

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
    ["Angular's body as a form", { status: 500, error: `error=${error}&error_description=no` }, error],
    ["Angular's body as a list in text", { status: 500, error: JSON.stringify([{ code: error }]) }, error],
    ["NestJS' body", { statusCode: 500, error: 'Internal Server Error', code: error }, error],
    ["NestJS' body of a 400", { error: 'Bad Request', code: 'authorization_pending' }, 'authorization_pending'],
    ["NestJS' body without a code", { statusCode: 403, message: 'no', error: 'Forbidden' }, 'Forbidden'],
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
    ['WeChat, WeCom and DingTalk are busy', { errcode: -1, errmsg: 'system error' }, 'temporarily_unavailable'],
    ['a code beside it', { error, errcode: -1 }, error],
    ["WeChat's refusal", { errcode: 40013, errmsg: 'invalid appid' }, undefined],
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
