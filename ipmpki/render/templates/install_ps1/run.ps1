# ---- the run --------------------------------------------------------------------------------------------

function Initialize-Run {
    $script:Looks = $script:Options.DryRun -or $script:Options.Verify
    $script:SetsRights = $script:OnWindows -and $script:Options.Root -eq ''
    if ($script:SetsRights -and -not $script:Options.User) { Assert-Administrator }
    Assert-ThisHost
#% if user
    if ($script:Options.User) { Initialize-User }
#% end
    Assert-TrustedFolder
    $script:State = Get-Target 'client' '.ipmpki'
    if ($script:Options.Uninstall) {
        $script:Payload = @()
        $script:Settings = @()
        $script:Identity = ''
        $script:OwnKey = $false
        $script:LookFor = @()
    }
    elseif (-not $script:Options.Rollback) {
#% if own_key
        if ($script:Awaits -and -not $script:Options.NewKey) { Stop-Waiting }
#% end
        Assert-Bundle
        Add-KeyWarning
    }
}

function Invoke-Main([object[]]$Arguments) {
    Read-Options $Arguments
    if ($script:Options.Help) {
        Show-Usage
        $script:ExitCode = 0
        return
    }
    Test-Options
    Initialize-Run
    $are_safe = Confirm-Folders
    if (-not $are_safe -and $script:Options.Verify) {
        Show-Differences     # what is below such a folder is not looked at
        return
    }
    if (-not $script:Looks -and -not $are_safe) {
        Invoke-FirstMends
        $are_safe = $true
    }
    if (-not $script:Options.Rollback -and -not $script:Options.Uninstall) {
        Initialize-Rights
        if ($are_safe) { Find-Mends }
    }
#% if own_key
    if ($script:Options.NewKey) {
        Invoke-NewKey
        $script:ExitCode = 0
        return
    }
#% end
    if ($script:Looks) {
        Read-Pending
        Update-Plan
    }
    else {
        if (Test-Interrupted) { Enter-Change }
        Update-Plan
        if ($script:Changes.Count -gt 0 -and $null -eq $script:Lock) {
            Enter-Change
            Update-Plan     # once more, as before the lock another run may have changed something
        }
    }
    if ($script:Looks -and (Test-State 'commit')) {
        Add-Change 'client' 'complete' '.ipmpki' 'of an interrupted run, which the next run completes' @()
    }
    if ($script:Looks -and (Test-State 'undo')) {
        Add-Change 'client' 'undo' '.ipmpki' 'of a failed run, whose old files the next run puts back' @()
    }
    if ($script:Options.Verify) { Add-Faults }
    if ($script:Changes.Count -eq 0 -and $script:WrongHost -eq '') { Show-UpToDate }
    elseif ($script:Options.Verify) {
        Show-Differences
        return      # with exit status 1
    }
    elseif ($script:Options.DryRun) {
        Show-Words 'this would change'
        if ($script:Options.Restart) { Write-Host ('Then this would run: ' + $script:RestartCommand) }
        Write-Host 'Nothing was changed.'
        Write-Host 'Next: run it without -DryRun.'
    }
    else {
        $is_due = $script:Options.Restart -and [IO.File]::Exists((Get-StatePath 'restart-due'))
        Invoke-Change
        if (-not $script:Options.Rollback -and -not $script:Options.Uninstall) { Add-Faults }
        Show-Words 'changed'
        if ($script:Plan.Count -gt 0 -or $is_due) { Show-NextStep }
    }
    $script:ExitCode = 0
}

function Invoke-FirstMends {   # before anything below those folders is read
    Invoke-Mends
    foreach ($mend in $script:Mends) { Add-Note @($mend.Path, ($mend.What + $mend.Why + '.')) }
    $script:Mends.Clear()
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

function Write-Failure([string]$Message) { [Console]::Error.WriteLine("install.ps1: $Message") }

try {
    Invoke-Main $args
    $Finished = $true
}
catch {
    $Finished = $true
    $reason = $_.Exception.GetBaseException().Message.TrimEnd()
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
        Write-Failure ($_.Exception.GetBaseException().Message)
        if ($ExitCode -eq 0) { $ExitCode = 5 }
    }
    $env:PSModulePath = $ModulePath
    # After Ctrl-C PowerShell would end with 0 by itself.
    if (-not $Finished) { [Environment]::Exit($ExitCode) }
}
exit $ExitCode
