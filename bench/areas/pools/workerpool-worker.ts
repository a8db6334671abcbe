import { loadPeer } from '../../peers.ts';
import { echo, tally } from './task.ts';

interface Workerpool {
  worker(methods: Readonly<Record<string, unknown>>): void;
}

const { default: workerpool } = await loadPeer<{ default: Workerpool }>('workerpool');
workerpool.worker({ echo, tally });
