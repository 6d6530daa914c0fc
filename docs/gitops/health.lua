-- Argo CD's health of a StackChain, from the conditions that kstatus reads too.
local hs = { status = "Progressing", message = "The operator has not seen the newest spec yet." }
if obj.status == nil or obj.status.conditions == nil then
  return hs
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  return hs
end

local found = {}
for _, condition in ipairs(obj.status.conditions) do
  found[condition.type] = condition
end
local ready = found["Ready"]
if ready == nil then
  return hs
end

hs.message = ready.reason .. ": " .. ready.message
if found["Reconciling"] ~= nil and found["Reconciling"].status == "True" then
  hs.status = "Progressing"
elseif found["Stalled"] ~= nil and found["Stalled"].status == "True" then
  hs.status = "Degraded"
elseif ready.status == "True" then
  hs.status = "Healthy"
else
  -- Nothing is wrong and nothing goes on by itself: it is suspended, or nobody has asked for a run.
  hs.status = "Suspended"
end
return hs
