// The smallest program child_process.fork can start.
export {};
