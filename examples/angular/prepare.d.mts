export function prepare(folder?: string, configurations?: readonly string[]): Promise<string[]>;
