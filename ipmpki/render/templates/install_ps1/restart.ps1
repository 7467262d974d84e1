# ---- the restart ----------------------------------------------------------------------------------------

function Invoke-RestartCommand([string]$Command) {   # the exit status of the declared command, in this console
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.UseShellExecute = $false
    if ($script:OnWindows) {
        # With /s cmd takes off the outer quotes and nothing else, so the command may have quotes of its own.
        $start.FileName = [System.IO.Path]::Combine([System.Environment]::SystemDirectory, 'cmd.exe')
        $start.Arguments = '/d /s /c "' + $Command + '"'
    }
    else {
        $start.FileName = '/bin/sh'
        $start.ArgumentList.Add('-c')       # PowerShell 7 only, as this branch is
        $start.ArgumentList.Add($Command)
    }
    $process = [System.Diagnostics.Process]::Start($start)
    $process.WaitForExit()
    return $process.ExitCode
}

function Show-NextStep {
    if ($script:Options.Restart) {
        Write-Host ('Running: ' + $script:RestartCommand)
        if ((Invoke-RestartCommand $script:RestartCommand) -ne 0) {
            Stop-Install 1 'the files are in place, but the restart command failed.'
        }
        # After -Uninstall the folder is gone, too, and Delete would fail.
        $due = Get-StatePath 'restart-due'
        if ([System.IO.File]::Exists($due)) { [System.IO.File]::Delete($due) }
        Write-Host 'Next: nothing; the restart command has run.'
    }
    elseif ($script:RestartCommand -ne '') {
        Write-Host ('Next: restart, for this to take effect: ' + $script:RestartCommand)
    }
    elseif ($script:Role -eq 'server') { Write-Host ('Next: ' + $script:ServerRestart + '.') }
    else { Write-Host ('Next: ' + $script:ClientRestart + '.') }
}
