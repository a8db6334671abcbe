import { script } from '../../../redis/script.ts';

/**
 * Puts a batch into its lists, all of it or nothing. A batch that was sent again because its answer was lost is not
 * stored a second time: a publisher has one batch under way, and its number is kept.
 *
 * KEYS: the publisher's key or the batch's own, the lists. ARGV: number of the batch or 'once', how many messages go to each list, the messages.
 * Answers: '' or the error, and then the list it is about.
 */
export const publishScript = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return {''} end
local lists = #KEYS - 1
local at = 2 + lists
for l = 1, lists do
  local last = at + ARGV[1 + l] - 1
  while at <= last do
    local upto = math.min(at + 4999, last)
    local done = redis.pcall('LPUSH', KEYS[1 + l], unpack(ARGV, at, upto))
    if type(done) == 'table' and done.err then
      local left = at - (last - ARGV[1 + l] + 1)
      if left > 0 then redis.call('LPOP', KEYS[1 + l], left) end
      for k = 1, l - 1 do redis.call('LPOP', KEYS[1 + k], ARGV[1 + k]) end
      return {done.err, KEYS[1 + l]}
    end
    at = upto + 1
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[1] == 'once' and 86400 or 600)
return {''}
`);

/**
 * Keeps the number of a batch that the same transaction has put into its list. Where that failed because the key holds
 * something else, LLEN fails too, and the batch does not count as stored. Sent in full: inside a transaction it is too
 * late to learn that the server does not know a script.
 *
 * KEYS: the publisher's key, the list. ARGV: number of the batch.
 */
export const recordScript = "redis.call('LLEN', KEYS[2]) redis.call('SET', KEYS[1], ARGV[1], 'EX', 600)";
