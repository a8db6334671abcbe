import { script } from '../../../redis/script.ts';

/** Bytes of messages claimed in one step, or moved from delayed ones, beyond which it ends. */
const mostBytes = 4 * 2 ** 20;

/**
 * Takes up to `max` messages and writes the claims in the same step. Redis does not roll back, so a message is popped
 * only once its claim stands, and a claim is taken back if the message could not be popped: what fails in between (a
 * right that is missing, a key of the wrong type) leaves the message where it was.
 *
 * KEYS: unacked, unacked_index, consumers, claims, quarantine, the delayed set of each queue, the lists step by step.
 * ARGV: consumer, first number, max, lease, what comes before the id in the name of a result ('': none is looked up), the
 * queues.
 * Answers: seconds until the next delayed message is due (or ''), an error (or ''), then for each list
 * that messages come from its index, the texts, and the documents stored of their tasks: none at all (empty), or '' for
 * none, null where it was not looked.
 */
export const claimScript = script(`
local queues = #ARGV - 5
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
redis.call('HLEN', KEYS[1])
redis.call('ZCARD', KEYS[2])
redis.call('SCARD', KEYS[4])
-- Redis looks at its memory before the first write only, and not before one that needs none: a full one can be emptied.
redis.call('ZREM', KEYS[3], '')
redis.call('ZADD', KEYS[3], now + ARGV[4], ARGV[1])
local max = tonumber(ARGV[3])
local failure = ''

local function failed(done, key)
  if type(done) ~= 'table' or not done.err then return false end
  failure = key .. ' ' .. done.err
  return true
end

local function setAside(queue, reason, text)
  local entry = cjson.encode({queue = queue, reason = reason, time = now, text = text})
  return not failed(redis.pcall('LPUSH', KEYS[5], entry), KEYS[5])
end

for q = 1, queues do
  local delayed = KEYS[5 + q]
  local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, max)
  local budget = ${mostBytes}
  -- The oldest come last, and so next to be taken.
  for i = #due, 1, -1 do
    local tag = due[i]
    local value = budget > 0 and redis.call('HGET', KEYS[1], tag)
    local step, bytes = string.match(tag, '^simul:due:([0-3]):(%d+):')
    local moved = budget > 0
    if moved and not step then
      moved = setAside(ARGV[5 + q], 'a delayed claim that cannot be read', value or tag)
    elseif moved and value then
      budget = budget - #value
      local list = KEYS[5 + queues + step * queues + q]
      moved = not failed(redis.pcall('RPUSH', list, string.sub(value, 2, 1 + bytes)), list)
    end
    if moved then
      redis.call('ZREM', KEYS[2], tag)
      redis.call('HDEL', KEYS[1], tag)
      redis.call('ZREM', delayed, tag)
    end
  end
end

local function read(text)
  if not string.find(text, '^[ \\t\\r\\n]*{') then return nil end
  local ok, message = pcall(cjson.decode, text)
  if not ok then
    -- cjson refuses halves of surrogate pairs, which JSON allows. An id with spaces in their place is another id.
    ok, message = pcall(cjson.decode, (string.gsub(text, '\\\\u[dD][89a-fA-F]%x%x', '\\\\u0020')))
    if ok then message.headers = nil end
  end
  return ok and message or nil
end

local ends = {}
local function ending(message, queue)
  local info = message.properties
  if type(info) == 'table' then info = info.delivery_info end
  local exchange, key = '', queue
  if type(info) == 'table' then
    if type(info.exchange) == 'string' then exchange = info.exchange end
    if type(info.routing_key) == 'string' then key = info.routing_key end
  end
  local known = ends[exchange]
  if not known then
    known = {}
    ends[exchange] = known
  end
  local text = known[key]
  if not text then
    text = ',' .. cjson.encode(exchange) .. ',' .. cjson.encode(key) .. ']'
    known[key] = text
  end
  return text
end

local function id(message)
  local headers = message.headers
  return type(headers) == 'table' and type(headers.id) == 'string' and headers.id
end

local function stored(ids)
  if ARGV[5] == '' then return false end
  local keys = {}
  for i = 1, #ids do keys[i] = ARGV[5] .. (ids[i] or '') end
  local documents = redis.pcall('MGET', unpack(keys))
  if documents.err then return false end
  local none = true
  for i = 1, #documents do
    if not ids[i] then documents[i] = false end
    if documents[i] or not ids[i] then none = false end
    if ids[i] and not documents[i] then documents[i] = '' end
  end
  return none and {} or documents
end

local answer = {'', ''}
local number = tonumber(ARGV[2])
local left, budget = max, ${mostBytes}

-- The messages that come next, in chunks that grow as far as their size allows.
local function peek(list)
  local texts, chunk, largest = {}, 1, 1
  while left > #texts and budget > 0 do
    chunk = math.max(1, math.min(chunk, left - #texts, math.floor(budget / largest)))
    local found = redis.pcall('LRANGE', list, -#texts - chunk, -#texts - 1)
    if failed(found, list) then break end
    for i = #found, 1, -1 do
      local text = found[i]
      largest = math.max(largest, #text)
      budget = budget - #text
      texts[#texts + 1] = text
    end
    if #found < chunk then break end
    chunk = chunk * 2
  end
  return texts
end

local function undo(tags, from)
  for i = #tags, from, -1 do
    redis.pcall('HDEL', KEYS[1], tags[i])
    redis.pcall('ZREM', KEYS[2], tags[i])
    redis.pcall('SREM', KEYS[4], tags[i])
    tags[i] = nil
  end
end

local function write(values, scores, tags)
  if #tags == 0 then return true end
  if not failed(redis.pcall('HSET', KEYS[1], unpack(values)), KEYS[1])
    and not failed(redis.pcall('ZADD', KEYS[2], unpack(scores)), KEYS[2])
    and not failed(redis.pcall('SADD', KEYS[4], unpack(tags)), KEYS[4]) then return true end
  undo(tags, 1)
  return false
end

-- As text: a number would be written anew, with all its digits, for each claim.
local score = string.format('%.3f', now)

local function take(list, index, step, queue)
  local head, tail = 'simul:' .. ARGV[1] .. ':', ':' .. step .. ':' .. queue
  local values, scores, tags, good, ids = {}, {}, {}, {}, {}
  -- Before the first that could not be set aside all are popped; behind it each is picked out.
  local popped, aside, stuck, picked = 0, 0, false, nil
  for _, text in ipairs(peek(list)) do
    local message = read(text)
    if message then
      local n = #tags
      local tag = head .. string.format('%.0f', number + n) .. tail
      values[2 * n + 1] = tag
      values[2 * n + 2] = '[' .. text .. ending(message, queue)
      scores[2 * n + 1] = score
      scores[2 * n + 2] = tag
      tags[n + 1] = tag
      good[n + 1] = text
      ids[n + 1] = id(message)
    elseif not stuck then
      stuck = not setAside(queue, 'the message is not a JSON object', text)
      if stuck then picked = #tags + 1 else aside = aside + 1 end
    end
    if not stuck then popped = popped + 1 end
  end
  local whole = write(values, scores, tags)
  if not whole and popped > aside then
    -- Nothing is popped that has no claim: what was set aside comes again.
    popped = 0
  end
  -- Cut off, not popped: all the texts would come once more.
  if popped == 0 or failed(redis.pcall('LTRIM', list, 0, -1 - popped), list) then
    if aside > 0 then redis.pcall('LPOP', KEYS[5], aside) end
    if popped > 0 then undo(tags, 1) end
  end
  for i = picked or #tags + 1, #tags do
    if failed(redis.pcall('LREM', list, -1, good[i]), list) then
      undo(tags, i)
      break
    end
  end
  number = number + #tags
  left = left - #tags
  if stuck then left = 0 end
  if #tags > 0 then
    -- What lost its claim again stands at the end.
    for i = #good, #tags + 1, -1 do good[i], ids[i] = nil, nil end
    answer[#answer + 1] = {index, good, stored(ids)}
  end
end

for step = 0, 3 do
  for q = 1, queues do
    if left > 0 and budget > 0 then
      local index = step * queues + q
      take(KEYS[5 + queues + index], index - 1, step, ARGV[5 + q])
    end
  end
end

if #answer == 2 then
  local nearest
  for q = 1, queues do
    local first = redis.call('ZRANGE', KEYS[5 + q], 0, 0, 'WITHSCORES')
    if first[2] and (not nearest or tonumber(first[2]) < nearest) then nearest = tonumber(first[2]) end
  end
  if nearest then answer[1] = string.format('%.6f', nearest - now) end
end
answer[2] = failure
return answer
`);
