import { plain, simulCallsPython, typed } from './simul-calls.ts';

simulCallsPython('Celery 5.6', [...plain, ...typed]);
