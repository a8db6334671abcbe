import { testQueues } from '../ipc/queue-conformance.ts';
import { processes } from '../ipc/scopes.ts';

testQueues(processes);
