# ---- the run --------------------------------------------------------------------------------------------

function Initialize-Run {
  $script:Looks = $Options.DryRun -or $Options.Verify
  $script:SetsRights = $OnWindows -and $Options.Root -eq ''
  if ($SetsRights -and -not $Options.User) { Assert-Administrator }
  Assert-ThisHost
#% if user
  if ($Options.User) { Initialize-User }
#% end
  Assert-TrustedFolder
  $script:State = Get-Target 'client' '.ipmpki'
  if ($Options.Uninstall) {
    $script:Payload = @()
    $script:Settings = @()
    $script:Identity = ''
    $script:OwnKey = $false
    $script:LookFor = @()
  }
  elseif (-not $Options.Rollback) {
#% if own_key
    if ($Awaits -and -not $Options.NewKey) { Stop-Waiting }
#% end
    Assert-Bundle
#% if key
    Add-KeyWarning
#% end
  }
}

function Invoke-Main([object[]]$Arguments) {
  Read-Options $Arguments
  if ($Options.Help) {
    Show-Usage
    $script:ExitCode = 0
    return
  }
  Test-Options
  Initialize-Run
  $are_safe = Confirm-Folders
  if (-not $are_safe -and $Options.Verify) {
    Show-Differences     # what is below such a folder is not looked at
    return
  }
  if (-not $Looks -and -not $are_safe) {
    Invoke-FirstMends
    $are_safe = $true
  }
  if (-not $Options.Rollback -and -not $Options.Uninstall) {
#% if key
    Initialize-Rights
#% end
    if ($are_safe) { Find-Mends }
  }
#% if own_key
  if ($Options.NewKey) {
    Invoke-NewKey
    $script:ExitCode = 0
    return
  }
#% end
  if ($Looks) {
    Read-Pending
    Update-Plan
  }
  else {
    if (Test-Interrupted) { Enter-Change }
    Update-Plan
    if ($Changes.Count -gt 0 -and $null -eq $Lock) {
      Enter-Change
      Update-Plan     # once more, as before the lock another run may have changed something
    }
  }
  if ($Looks -and (Test-State 'commit')) {
    Add-Change 'client' 'complete' '.ipmpki' 'of an interrupted run, which the next run completes'
  }
  if ($Looks -and (Test-State 'undo')) {
    Add-Change 'client' 'undo' '.ipmpki' 'of a failed run, whose old files the next run puts back'
  }
  if ($Options.Verify) { Add-Faults }
  if ($Changes.Count -eq 0 -and $WrongHost -eq '') { Show-UpToDate }
  elseif ($Options.Verify) {
    Show-Differences
    return      # with exit status 1
  }
  elseif ($Options.DryRun) {
    Show-Words 'this would change'
    if ($Options.Restart) { Write-Line "Then this would run: $RestartCommand" }
    Write-Line 'Nothing was changed.'
    Write-Line 'Next: run it without -DryRun.'
  }
  else {
    $is_due = $Options.Restart -and (Test-File (Get-StatePath 'restart-due'))
    Invoke-Change
    if (-not $Options.Rollback -and -not $Options.Uninstall) { Add-Faults }
    Show-Words 'changed'
    if ($Plan.Count -gt 0 -or $is_due) { Show-NextStep }
  }
  $script:ExitCode = 0
}

function Invoke-FirstMends {   # before anything below those folders is read
  Invoke-Mends
  foreach ($mend in $Mends) { Add-Note @($mend.Path, ($mend.Reason + '.')) }
  $Mends.Clear()
  if (-not (Confirm-Folders)) { Stop-Install 5 'the folders could not all be taken back.' }
}

function Invoke-Program([string]$Program, [string[]]$Words, [hashtable]$Environment) {   # what it writes; stops where it fails
  $start = New-Object Diagnostics.ProcessStartInfo
  $start.FileName = $Program
  # No word ends in a backslash, and a path of Windows has no quotation mark.
  $start.Arguments = @($Words | ForEach-Object { '"' + $_ + '"' }) -join ' '
  $start.UseShellExecute = $false
  $start.RedirectStandardOutput = $true
  $start.RedirectStandardError = $true
  $start.WorkingDirectory = [IO.Path]::GetDirectoryName($Program)
  if ($null -ne $Environment) {
    foreach ($name in $Environment.Keys) {
      if ($null -eq $Environment[$name]) { $start.EnvironmentVariables.Remove($name) }
      else { $start.EnvironmentVariables[$name] = $Environment[$name] }
    }
  }
  $process = [Diagnostics.Process]::Start($start)
  # Read beside the other stream: a full pipe would hold both processes up.
  $complaints = $process.StandardError.ReadToEndAsync()
  $written = $process.StandardOutput.ReadToEnd()
  $process.WaitForExit()
  if ($process.ExitCode -ne 0) {
    Stop-Install 1 ([IO.Path]::GetFileName($Program) + ' ' + $Words[0] + ' failed: ' + $complaints.Result.Trim() + '.')
  }
  return $written
}

try {
  Invoke-Main $args
  $Finished = $true
}
catch {
  $Finished = $true
  $reason = Get-Cause $_
  if ($Changed -and $ExitCode -eq 1) {
    $ExitCode = 5
    if (Test-State 'commit') { $reason += ' Run it again, which completes what was begun.' }
    elseif ($Recovered -ne '') { $reason += " This run has $Recovered, and nothing else was changed." }
    else { $reason += ' Something was changed before that: -Verify says how this host is now.' }
  }
  elseif ($ExitCode -eq 1 -or $ExitCode -eq 2) { $reason += ' Nothing was changed.' }
  Write-Failure $reason
}
finally {   # which runs after Ctrl-C too
  try {
    if (-not $Finished) { $ExitCode = Complete-Interrupted }
    Exit-Change
  }
  catch {
    Write-Failure (Get-Cause $_)
    if ($ExitCode -eq 0) { $ExitCode = 5 }
  }
  $env:PSModulePath = $ModulePath
  # After Ctrl-C PowerShell would end with 0 by itself.
  if (-not $Finished) { [Environment]::Exit($ExitCode) }
}
exit $ExitCode
