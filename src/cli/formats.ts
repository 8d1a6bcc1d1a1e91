/** The output formats of `rx-fresh-token token`, for programs such as kubectl and git. */
import type { AccessToken } from '../token/types.js';

/** What a format needs beside the token. */
interface FormatContext {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What the caller wrote to standard input: git says there what it understands. */
  readonly input: string;
  /** What Kubernetes' clients say to an `exec` plugin, in JSON. */
  readonly execInfo?: string | undefined;
}

type Format = (token: AccessToken, context: FormatContext) => string;

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** The last moment that RFC 3339 can tell. */
const LAST_MOMENT = Date.UTC(9999, 11, 31, 23, 59, 59);

/** Left out is a lifetime that is unknown, or that says "for ever": WSO2's has 16 digits. */
const ends = ({ expiresAt }: AccessToken): boolean => expiresAt <= LAST_MOMENT;

/** The members of RFC 6749 section 5.1. */
const json: Format = (token, { now }) =>
  JSON.stringify({
    access_token: token.value,
    token_type: token.type,
    ...(ends(token) && { expires_in: Math.max(0, seconds(token.expiresAt - now)) }),
    ...(token.scope !== undefined && { scope: token.scope }),
  });

/**
 * What kubectl and other clients of Kubernetes read of an `exec` plugin. They refuse another version than they ask for;
 * in all versions it has these members.
 */
const execCredential: Format = (token, { execInfo = '' }) =>
  JSON.stringify({
    apiVersion:
      /"apiVersion":\s*"(client\.authentication\.k8s\.io\/v1\w*)"/.exec(execInfo)?.[1] ??
      'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: {
      token: token.value,
      // RFC 3339, in whole seconds: never later than the end.
      ...(ends(token) && { expirationTimestamp: `${new Date(token.expiresAt).toISOString().slice(0, 19)}Z` }),
    },
  });

/**
 * What git reads of a credential helper. From 2.46 on it takes a scheme and a credential; before, the token is the
 * password of Basic, as git hosts take it.
 */
const gitCredential: Format = (token, { input }) => {
  const given = input.split(/\r?\n/);
  const lines = given.includes('capability[]=authtype')
    ? ['capability[]=authtype', `authtype=${token.type}`, `credential=${token.value}`, 'ephemeral=1']
    : [...(given.some((line) => line.startsWith('username=')) ? [] : ['username=oauth2']), `password=${token.value}`];
  return [...lines, ...(ends(token) ? [`password_expiry_utc=${String(seconds(token.expiresAt))}`] : [])].join('\n');
};

export const FORMATS: Readonly<Record<string, Format | undefined>> = {
  plain: ({ value }) => value,
  json,
  'exec-credential': execCredential,
  'git-credential': gitCredential,
};
