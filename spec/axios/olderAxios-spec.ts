import type * as Axios from 'axios';
import { of } from 'rxjs';
import { createTokenStream } from 'rx-fresh-token';
import { attachToken } from 'rx-fresh-token/axios';

// Axios before 1.5 has no `getAdapter`.
jest.mock('axios', () => ({ ...jest.requireActual<typeof Axios>('axios'), getAdapter: undefined }));

it('should say which axios it needs, when it is attached to an older one', () => {
  const { default: axios } = jest.requireActual<typeof Axios>('axios');
  const token$ = createTokenStream(() => of({ access_token: 'T1' }));
  expect(() => attachToken(axios.create(), token$)).toThrow(new TypeError('attachToken needs axios 1.5 or later'));
  token$.close();
});
