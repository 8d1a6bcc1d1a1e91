import { supplied } from '../../src/oauth/checks/supplied.js';
import { turns } from './fakeEndpoint.js';

describe('an option that is a function', () => {
  it('should not be called for a request that nobody waits for', async () => {
    const option = jest.fn(() => 'text');
    await expect(supplied('clientAssertion', option, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(option).not.toHaveBeenCalled();
  });

  it('should end no process if it ends the request, and then fails', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    const controller = new AbortController();
    const option = async () => {
      controller.abort(new Error('signed out'));
      await Promise.resolve();
      throw new Error('vault sealed');
    };
    await expect(supplied('clientAssertion', option, controller.signal)).rejects.toThrow('signed out');
    await turns();
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});
