-- One-click leaving for wrk (RFC 8058 §3.2): each request names another reader, from a file with a token a line.
-- wrk … -s clicks.lua URL -- FILE SKIP

local tokens = {}
local last = 0

function init(arguments)
   local skip = tonumber(arguments[2])
   for token in io.lines(arguments[1]) do
      if skip > 0 then
         skip = skip - 1
      else
         tokens[#tokens + 1] = token
      end
   end
   wrk.method = "POST"
   wrk.body = "List-Unsubscribe=One-Click"
   wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
end

function request()
   last = last + 1
   if last > #tokens then
      -- Answered with 404, which the bench refuses: there were too few readers.
      return wrk.format(nil, "/u/none-left")
   end
   return wrk.format(nil, "/u/" .. tokens[last])
end
