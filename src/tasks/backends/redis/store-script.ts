import { script } from '../../redis/script.ts';

/**
 * Stores results and tells those who wait. A SUCCESS is never replaced, a final state only by a final one.
 * KEYS: one for each result. ARGV: lifetime in milliseconds (0 for ever), then the documents.
 */
export const storeScript = script(`
local final = {SUCCESS = true, FAILURE = true, REVOKED = true}
local lifetime = ARGV[1]

local function put(key, document, ...)
  if lifetime ~= '0' then return redis.call('SET', key, document, 'PX', lifetime, ...) end
  return redis.call('SET', key, document, ...)
end

local function stateOf(document)
  local state = string.match(document, '^{"status": "([%u_]+)"')
  if state then return state end
  local ok, value = pcall(cjson.decode, document)
  return ok and type(value) == 'table' and value.status or ''
end

for i = 1, #KEYS do
  local document = ARGV[i + 1]
  local stored = put(KEYS[i], document, 'NX')
  if not stored then
    -- A key that is no text holds no result, and must not stop a worker.
    local old = redis.pcall('GET', KEYS[i])
    local was = type(old) == 'string' and stateOf(old) or ''
    if was ~= 'SUCCESS' and (not final[was] or final[stateOf(document)]) then
      put(KEYS[i], document)
      stored = true
    end
  end
  if stored then redis.call('PUBLISH', KEYS[i], document) end
end
return 1
`);
