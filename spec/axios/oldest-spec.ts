// The same specs with the oldest axios that is supported.
jest.mock('axios', () => jest.requireActual<object>('axios-1.5'));

import './attachToken-spec.js';
import './requests-spec.js';
