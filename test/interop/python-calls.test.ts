import { pythonCallsSimul } from './python-calls.ts';
import { plainValues, typedValues } from './values.ts';

pythonCallsSimul('Celery 5.6', [...plainValues, ...typedValues]);
