import { Simul } from '../../tasks/app.ts';
import { think } from '../master.ts';

/** The app as its workers import it; where its broker is, their environment says. */
export const app = new Simul('exhibition');

export const thinkTask = app.task('demo.think', think);
