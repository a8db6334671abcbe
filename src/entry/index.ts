export * from '../base/errors.ts';
export { Typed } from '../base/json/typed.ts';
