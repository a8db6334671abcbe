// The smallest program child_process.fork can start.
process.exitCode = 0;
