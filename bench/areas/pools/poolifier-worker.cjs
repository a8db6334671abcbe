// Stands here, and not in dist/, and as CommonJS: a cluster worker loses the messages that come while modules load.
const cluster = require('node:cluster');
const { threadId } = require('node:worker_threads');
const { ClusterWorker, ThreadWorker } = require('poolifier');

let ran = 0;

const echo = (value) => {
  ran++;
  return value;
};

const tally = () => {
  const until = performance.now() + 5;
  while (performance.now() < until);
  return [`${process.pid}:${threadId}`, ran];
};

const Worker = cluster.isWorker ? ClusterWorker : ThreadWorker;
module.exports = new Worker({ echo, tally });
