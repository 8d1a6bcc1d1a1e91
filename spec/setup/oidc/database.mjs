/** What a database would keep while its server is down: an adapter factory for oidc-provider. */
export function createDatabase() {
  const rows = new Map();
  return (model) => {
    const key = (id) => `${model}:${id}`;
    const find = (id) => rows.get(key(id));
    return {
      find: async (id) => find(id),
      findByUid: async (uid) => [...rows.values()].find((row) => row.uid === uid),
      findByUserCode: async (code) => [...rows.values()].find((row) => row.userCode === code),
      upsert: async (id, row) => void rows.set(key(id), row),
      consume: async (id) => void (find(id).consumed = Math.floor(Date.now() / 1000)),
      destroy: async (id) => void rows.delete(key(id)),
      revokeByGrantId: async (grantId) => {
        for (const [id, row] of rows) if (row.grantId === grantId) rows.delete(id);
      },
    };
  };
}
