// What `simul run` starts: the script becomes the program of this process.
import { importScript } from './run.ts';

const [, , script, ...args] = process.argv;
await importScript(script!, args);
