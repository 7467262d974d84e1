-- What a person does in Neovim, who has opened a file with one mistake: look, ask, mend. For Neovim 0.7 to 0.11.
vim.cmd("edit pki.toml")
local id = vim.lsp.start_client({ cmd = { vim.env.PYTHON, "-m", "ipmpki", "lsp" }, root_dir = vim.fn.getcwd() })
vim.lsp.buf_attach_client(0, id)

local told = {}
local document = vim.lsp.util.make_text_document_params()

local function diagnostics()
  return vim.tbl_map(function(one)
    return { one.code, one.lnum, one.col, one.end_col }
  end, vim.diagnostic.get(0))
end

local function ask(method, params)
  params.textDocument = document
  local answers = vim.lsp.buf_request_sync(0, method, params, 20000)
  return answers[id].result
end

vim.wait(20000, function() return #vim.diagnostic.get(0) == 1 end, 20)
told.before = diagnostics()
local spot = { line = told.before[1][2], character = told.before[1][3] }
told.hover = ask("textDocument/hover", { position = spot }).contents.value
told.offered = vim.tbl_map(function(one) return one.label end, ask("textDocument/completion", { position = spot }))
told.outline = vim.tbl_map(function(one) return one.name end, ask("textDocument/documentSymbol", {}))
local range = { start = spot, ["end"] = spot }
local actions = ask("textDocument/codeAction", { range = range, context = { diagnostics = {} } })
told.titles = vim.tbl_map(function(one) return one.title end, actions)
vim.lsp.util.apply_workspace_edit(actions[1].edit, "utf-16")
vim.wait(20000, function() return #vim.diagnostic.get(0) == 0 end, 20)
told.after = #vim.diagnostic.get(0)
vim.cmd("write")
vim.lsp.stop_client(id)
vim.fn.writefile({ vim.fn.json_encode(told) }, "told.json")
vim.cmd("qall!")
