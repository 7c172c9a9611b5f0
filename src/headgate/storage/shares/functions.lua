#!lua name=headgate_shares
-- The authority over allowances that several processes share: settled + lent <= cap, at every instant.
--
-- Every allowance has one key for each of its periods. Its marker, a second key in the same slot, says which
-- generation of the data counts, and whether all processes have told what they hold of it: only then is more lent.
-- Amounts are whole numbers below 2^53, times are microseconds of this server's clock.

local GRAINS = 60 -- a sliding window may keep an amount for one part in so many of its length too long, never too short
local PLENTY = 8 -- a share beyond what calls need now is at most one part in so many of what is left
local LATE = 2000000 -- what is heard so much later than it was said gives nothing back
local WANTED = 1000000 -- how long a refusal is remembered, so that others give back what they do not need

local run -- which run of which server this is: a replica that took over, or a restart, may have lost writes

local function this_run()
  if not run then
    run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  end
  return run
end

local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function whole(number)
  return string.format('%.0f', number)
end

-- The generation that counts, or nil where there is none: the data is new, was lost, or may be older than it was.
local function generation(marker)
  local found = redis.call('HMGET', marker, 'generation', 'run', 'open')
  if not found[1] or found[2] ~= this_run() then
    return nil, false
  end
  return found[1], found[3] == '1'
end

-- Sliding windows: amounts by the sixtieth of the window they lie in, each with its last moment.
local function read_cells(packed)
  local cells = {}
  for slot, last, amount in string.gmatch(packed or '', '(%d+):(%d+):(-?%d+)') do
    cells[#cells + 1] = { slot = tonumber(slot), last = tonumber(last), amount = tonumber(amount) }
  end
  return cells
end

local function write_cells(cells)
  local parts = {}
  for index, cell in ipairs(cells) do
    parts[index] = whole(cell.slot) .. ':' .. whole(cell.last) .. ':' .. whole(cell.amount)
  end
  return table.concat(parts, ' ')
end

local function add_to_cells(cells, grain, moment, amount)
  local slot = math.floor(moment / grain)
  local place = #cells
  while place > 0 and cells[place].slot > slot do
    place = place - 1
  end
  local cell = cells[place]
  if cell and cell.slot == slot then
    cell.amount = cell.amount + amount
    cell.last = math.max(cell.last, moment)
  else
    table.insert(cells, place + 1, { slot = slot, last = moment, amount = amount })
  end
end

local function drop_old_cells(cells, since)
  local dropped = 0
  while cells[1] and cells[1].last <= since do
    dropped = dropped + cells[1].amount
    table.remove(cells, 1)
  end
  return dropped
end

-- When so much will have left the window; 0 if that depends on what is lent.
local function frees_at(cells, length, excess)
  for _, cell in ipairs(cells) do
    excess = excess - cell.amount
    if excess <= 0 then
      return cell.last + length
    end
  end
  return 0
end

local State = {}
State.__index = State

-- What is known of an allowance in this generation.
function State.read(key, of_generation, node, length)
  local found = redis.call('HMGET', key, 'generation', 'settled', 'lent', 'held', 'cells', 'wanted', 'n:' .. node)
  if found[1] ~= of_generation then
    if found[1] then
      redis.call('DEL', key)
    end
    found = {}
  end
  local state = setmetatable({ key = key, node = node, length = length }, State)
  state.based = found[2] and true or false
  state.settled = tonumber(found[2] or 0)
  state.lent = tonumber(found[3] or 0)
  state.held = tonumber(found[4] or 0)
  state.wanted = tonumber(found[6] or 0)
  state.cells = length > 0 and read_cells(found[5]) or {}
  local numbers = {}
  for number in string.gmatch(found[7] or '', '-?%d+') do
    numbers[#numbers + 1] = tonumber(number)
  end
  state.known = #numbers > 0
  state.seq, state.count, state.used, state.share, state.its_held = unpack(numbers)
  state.time = now()
  if length > 0 and state.based then
    state.settled = state.settled - drop_old_cells(state.cells, state.time - length)
  end
  return state
end

function State:count_use(amount, age, late)
  self.used = self.used + amount
  if amount < 0 then -- it is to leave the window no later than what it gives back
    age = late and self.length or age + self.length / GRAINS + LATE
  end
  if self.length == 0 then
    self.settled = self.settled + amount
  elseif age < self.length then
    self.settled = self.settled + amount
    add_to_cells(self.cells, self.length / GRAINS, self.time - age, amount)
  end
end

function State:write(of_generation, keep_ms)
  local fields = {
    'generation', of_generation, 'lent', whole(self.lent), 'held', whole(self.held), 'wanted', whole(self.wanted),
    'n:' .. self.node,
    table.concat({ whole(self.seq), whole(self.count), whole(self.used), whole(self.share), whole(self.its_held) }, ' '),
  }
  if self.based then
    fields[#fields + 1] = 'settled'
    fields[#fields + 1] = whole(self.settled)
  else
    -- What is used before it is known what was used earlier is kept apart: `base` adds the two.
    fields[#fields + 1] = 'unbased'
    fields[#fields + 1] = whole(self.settled)
  end
  if self.length > 0 then
    fields[#fields + 1] = 'cells'
    fields[#fields + 1] = write_cells(self.cells)
  end
  redis.call('HSET', self.key, unpack(fields))
  redis.call('PEXPIRE', self.key, keep_ms)
end

-- KEYS: the allowance in its period, its marker.
-- ARGV: generation, node, seq, cap, length, keep_ms, said, first, used, keep, least, ask, want, held, (amount, age) ...
--
-- A process counts its use and its share from the beginning of the generation: `keep`, `least`, `ask` and `want` are
-- how far its use may come. Its share becomes at least `keep`, which it goes on using meanwhile; `ask` if that much is
-- left, less than that but no less than `least` otherwise; `want` only where plenty is left.
-- `first` is the number of the first amount: those that were counted before are left out. `used` is all use before it.
-- `said` is when, by this clock, and at most a little before. A message that comes after a newer one changes nothing.
local function sync(keys, args)
  local of_generation, open = generation(keys[2])
  if of_generation ~= args[1] then
    return { 'stale', of_generation or '' }
  end
  local cap, length, keep_ms = tonumber(args[4]), tonumber(args[5]), args[6]
  local first, used, keep = tonumber(args[8]), tonumber(args[9]), tonumber(args[10])
  local state = State.read(keys[1], of_generation, args[2], length)
  if not state.known then
    state.seq, state.count, state.used, state.share, state.its_held = 0, first, used, used, 0
  end
  if not state.based then
    state.settled = tonumber(redis.call('HGET', keys[1], 'unbased') or 0)
  end
  local asked_in_vain = false
  if tonumber(args[3]) > state.seq then
    state.seq = tonumber(args[3])
    local lent_here, late = state.share - state.used, state.time - tonumber(args[7]) > LATE
    for index = 15, #args, 2 do
      if first + (index - 15) / 2 >= state.count then
        state:count_use(tonumber(args[index]), tonumber(args[index + 1]), late)
        state.count = state.count + 1
      end
    end
    local least, ask, want = tonumber(args[11]), tonumber(args[12]), tonumber(args[13])
    local others = state.lent - lent_here
    local share = keep
    local spare = cap - state.settled - others - (keep - state.used)
    if ask > keep or want > keep then
      if open and state.based then
        if want - keep <= spare / PLENTY then
          share = math.max(want, keep)
        elseif ask - keep <= spare then
          share = math.max(ask, keep)
        elseif least - keep <= spare then
          share = math.max(keep + spare, keep)
        end
      end
      asked_in_vain = ask > share
      if asked_in_vain and others > 0 then
        state.wanted = state.time + WANTED
      end
    end
    local held = tonumber(args[14])
    state.lent = others + share - state.used
    state.held = state.held - state.its_held + held
    state.share, state.its_held = share, held
    state:write(of_generation, keep_ms)
  end
  local lent_elsewhere = state.lent - (state.share - state.used)
  local left = cap - state.settled - state.lent
  local frees = 0
  if asked_in_vain and length > 0 then
    frees = frees_at(state.cells, length, tonumber(args[11]) - state.share - left)
  end
  return {
    'ok', whole(state.time), whole(state.share), whole(state.count), whole(state.settled), whole(lent_elsewhere),
    whole(state.held - state.its_held), whole(frees), state.based and 1 or 0, open and 1 or 0,
    state.wanted > state.time and 1 or 0, whole(state.used),
  }
end

-- KEYS: the allowance in its period, its marker. ARGV: generation, length, keep_ms, (amount, age) ...
-- What was used before this generation, once.
local function base(keys, args)
  local of_generation, open = generation(keys[2])
  if of_generation ~= args[1] or not open then
    return 0
  end
  local found = redis.call('HMGET', keys[1], 'generation', 'settled', 'cells', 'unbased')
  if found[1] == of_generation and found[2] then
    return 1
  end
  if found[1] and found[1] ~= of_generation then
    redis.call('DEL', keys[1])
    found = {}
  end
  local length, time = tonumber(args[2]), now()
  local settled, cells = tonumber(found[4] or 0), read_cells(found[3])
  for index = 4, #args, 2 do
    local amount, age = tonumber(args[index]), tonumber(args[index + 1])
    settled = settled + amount
    if length > 0 then
      add_to_cells(cells, length / GRAINS, time - math.max(age, 0), amount)
    end
  end
  redis.call(
    'HSET', keys[1], 'generation', of_generation, 'settled', whole(settled), 'cells', write_cells(cells),
    'since', of_generation .. '@' .. whole(time)
  )
  redis.call('HDEL', keys[1], 'unbased')
  redis.call('PEXPIRE', keys[1], args[3])
  return 1
end

-- KEYS: the allowance in its period, its marker. Which reading of its past is counted here: '' for none.
local function since(keys)
  local of_generation = generation(keys[2])
  local found = redis.call('HMGET', keys[1], 'generation', 'since')
  return of_generation and found[1] == of_generation and found[2] or ''
end

-- KEYS: the allowance in its period, its marker. ARGV: since, name, amount. Of a call that is counted, or lent for, it
-- is known now that it used so much more, or less where that is below zero. Told once by that name, and only while the
-- same reading of the past is counted: a later one has it already.
local function correct(keys, args)
  if args[1] == '' or since(keys) ~= args[1] or redis.call('HSETNX', keys[1], 'c:' .. args[2], '1') == 0 then
    return 0
  end
  redis.call('HSET', keys[1], 'settled', whole(tonumber(redis.call('HGET', keys[1], 'settled')) + tonumber(args[3])))
  return 1
end

redis.register_function('headgate_shares_sync', sync)
redis.register_function('headgate_shares_base', base)
redis.register_function('headgate_shares_since', since)
redis.register_function('headgate_shares_correct', correct)
