export { AsyncPool as ThreadPool } from './async.ts';
