# ---- restarting -----------------------------------------------------------------------------------------

#% if restart
function Invoke-RestartCommand([string]$Command) {
  $start = New-Object Diagnostics.ProcessStartInfo
  $start.UseShellExecute = $false
  if ($OnWindows) {
    # With /s cmd takes off the outer quotes and nothing else, so the command may have quotes of its own. It
    # looks for programs in its current folder first, which is that of Windows, and not even there.
    $start.FileName = Join-Name ([Environment]::SystemDirectory) 'cmd.exe'
    $start.Arguments = '/d /s /c "' + $Command + '"'
    $start.WorkingDirectory = [Environment]::SystemDirectory
    $start.EnvironmentVariables['NoDefaultCurrentDirectoryInExePath'] = '1'
    $start.EnvironmentVariables['PSModulePath'] = $ModulePath
  }
  else {
    $start.FileName = '/bin/sh'
    $start.WorkingDirectory = '/'
    $start.ArgumentList.Add('-c')       # PowerShell 7 only, as this branch is
    $start.ArgumentList.Add($Command)
  }
  $process = [Diagnostics.Process]::Start($start)
  $process.WaitForExit()
  return $process.ExitCode
}

function Stop-Restart([string]$Status) {   # not restarted, which the next run with -Restart makes up for
  Enter-Change
  $due = Get-StatePath 'restart-due'
  if (-not (Test-File $due)) {
    Write-Lines $due @('yes')
    if ($MadeFolders.Count -gt 0 -and -not (Test-File (Get-StatePath 'installed'))) {
      Write-Lines (Get-StatePath 'installed') @($MadeFolders)
    }
  }
  $what = 'the files are in place'
  $again = 'install.cmd -Restart'
  $code = 5
  if ($Options.Rollback) { $what = 'what stood here before is back' }
  if ($Options.Uninstall) {
    $what = 'what had been put here is gone'
    $again = 'install.cmd -Uninstall -Restart'
  }
  if (-not $Changed) {
    $what = 'nothing was changed now'
    $code = 1
  }
  Stop-Install $code ("$what, but the restart command failed ($Status): $RestartCommand" +
    [Environment]::NewLine + "Mend it and run it, or run $again again.")
}

#% end
function Show-NextStep {
#% if restart
  if ($Options.Restart) {
    Write-Line ('Running: ' + $RestartCommand)
    $status = ''
    try { $status = 'exit status ' + (Invoke-RestartCommand $RestartCommand) }
    catch { $status = Get-Cause $_ }
    if ($status -ne 'exit status 0') { Stop-Restart $status }
    Clear-Due
    Write-Line 'Next: nothing; the restart command has run.'
    return
  }
  Write-Line ('Next: restart, for this to take effect: ' + $RestartCommand)
#% end
#% if not restart
  $what = $ClientRestart
  if ($Role -eq 'server') { $what = $ServerRestart }
  Write-Line "Next: $what."
#% end
}

#% if restart
function Clear-Due {   # and, after an uninstall whose restart had failed, the rest of what was remembered
  if (-not (Test-File (Get-StatePath 'restart-due'))) { return }
  Enter-Change
  [IO.File]::Delete((Get-StatePath 'restart-due'))
  $lines = @(Read-Record)
  if (($lines | Where-Object { -not $_.StartsWith('folder ') }) -or (Test-State 'original')) { return }
  if (@(Get-Backups).Count -gt 0 -or (Test-File (Get-StatePath 'waiting-key.pem'))) { return }
  [IO.File]::Delete((Get-StatePath 'installed'))
  foreach ($line in $lines) { $MadeFolders.Add($line) }
}
#% end
