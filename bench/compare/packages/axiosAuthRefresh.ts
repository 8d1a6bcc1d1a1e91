import axios, { type AxiosError } from 'axios';
import { createAuthRefresh } from 'axios-auth-refresh';
import { fetchToken, type Candidate } from '../candidate.js';
import { withVersion } from './withVersion.js';

/** As its README shows: a request interceptor attaches the token at hand, a refusal fetches a new one. */
export const axiosAuthRefresh: Candidate = {
  name: withVersion('axios-auth-refresh'),
  connect: (target) => {
    const instance = axios.create({ baseURL: target.origin });
    let token: string | undefined;
    instance.interceptors.request.use((request) => {
      if (token !== undefined) request.headers.set('Authorization', `Bearer ${token}`);
      return request;
    });
    createAuthRefresh(
      instance,
      async (failed: AxiosError) => {
        token = (await fetchToken(target)).access_token;
        failed.response?.config.headers.set('Authorization', `Bearer ${token}`);
      },
      // With `deduplicateRefresh: true`, the default, all but the first of several refused requests fail: its issue
      // 307.
      { statusCodes: [401, 403], deduplicateRefresh: false },
    );
    return { get: async (path) => (await instance.get(path)).status };
  },
};
