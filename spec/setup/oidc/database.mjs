/**
 * What a database would keep while its server is down: an adapter factory for oidc-provider. For `grace` ms after its use a
 * refresh token is as good as unused.
 */
export function createDatabase(grace = 0) {
  const rows = new Map();
  return (model) => {
    const key = (id) => `${model}:${id}`;
    const find = (id) => rows.get(key(id));
    return {
      find: async (id) => find(id),
      findByUid: async (uid) => [...rows.values()].find((row) => row.uid === uid),
      findByUserCode: async (code) => [...rows.values()].find((row) => row.userCode === code),
      upsert: async (id, row) => void rows.set(key(id), row),
      consume: async (id) => {
        const row = find(id);
        const mark = () => void (row.consumed = Math.floor(Date.now() / 1000));
        if (grace > 0) setTimeout(mark, grace).unref();
        else mark();
      },
      destroy: async (id) => void rows.delete(key(id)),
      revokeByGrantId: async (grantId) => {
        for (const [id, row] of rows) if (row.grantId === grantId) rows.delete(id);
      },
    };
  };
}
