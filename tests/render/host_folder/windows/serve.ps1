# Reads a line of JSON for each run, and answers with one, as 'powershell-wine -Serve' does. Each script is run by
# this one process; it sees in $args what -File gives it, and its 'exit' ends it alone.
$answers = [Console]::Out
while ($null -ne ($line = [Console]::In.ReadLine())) {
    $request = ConvertFrom-Json -AsHashtable $line
    if ($request.environment) {
        foreach ($name in $request.environment.Keys) {
            [Environment]::SetEnvironmentVariable($name, $request.environment[$name])
        }
    }
    if ($request.folder) { Set-Location -LiteralPath $request.folder }
    $said = [System.IO.StringWriter]::new()
    [Console]::SetError($said)
    $global:LASTEXITCODE = 0
    $what, $text, $words = $request.args
    $arguments = @($words | ForEach-Object {
            if ($_ -match '\A(-\w+):(.+)\z') {
                $Matches[1]
                if ($Matches[2] -match '\A\$(true|false)\z') { $Matches[1] -eq 'true' } else { $Matches[2] }
            }
            elseif ($null -ne $_) { $_ }
        })
    $shown = ''
    try {
        if ($what -eq '-File') { $shown = & $text @arguments 6>&1 | Out-String -Width 4096 }
        else { $shown = Invoke-Expression $text | Out-String -Width 4096 }
    }
    catch {
        $said.WriteLine(($_ | Out-String))
        $global:LASTEXITCODE = 1
    }
    $status = $global:LASTEXITCODE
    $answers.WriteLine((ConvertTo-Json -Compress ([ordered]@{
                    status = $status; output = $shown; error = $said.ToString()
                })))
    $answers.Flush()
}
