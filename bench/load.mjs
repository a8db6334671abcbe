// Stands here, and not in dist/, so that a bare name resolves to bench/node_modules.
export const load = (name) => import(name);
