-- Pages at random, in every sort and order. TOTAL comes from the environment; 0 asks one path again and again.
local total = tonumber(os.getenv("TOTAL"))
local size = 20
local count = 50000
local sorts = {"id", "number", "name"}
local orders = {"asc", "desc"}
local requests = {}
local at = 0

function init(args)
  for i = 1, count do
    local query = ""
    if total > 0 then
      query = "&page=" .. math.random(1, math.floor(total / size)) .. "&page_size=" .. size ..
        "&sort_by=" .. sorts[math.random(3)] .. "&order_by=" .. orders[math.random(2)]
    end
    requests[i] = wrk.format("GET", wrk.path .. query)
  end
end

function request()
  at = at % count + 1
  return requests[at]
end
