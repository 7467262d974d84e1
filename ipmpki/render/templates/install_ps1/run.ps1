# ---- the run --------------------------------------------------------------------------------------------

function Initialize-Run {
    $script:Looks = $script:Options.DryRun -or $script:Options.Verify
    $script:SetsRights = $script:OnWindows -and $script:Options.Root -eq ''
    if ($script:SetsRights -and -not $script:Options.User) { Assert-Administrator }
    Assert-ThisHost
    if ($script:Options.User) { Initialize-User }
    $script:State = [System.IO.Path]::Combine((Get-Folder 'client'), '.ipmpki')
    if ($script:Options.Uninstall) {
        $script:Payload = @()
        $script:Settings = @()
        $script:Identity = ''
        $script:OwnKey = $false
        $script:LookFor = @()
    }
    elseif (-not $script:Options.Rollback) {
        if ($script:Awaits -and -not $script:Options.NewKey) { Stop-Waiting }
        Assert-Bundle
        Initialize-Rights
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
    if ($script:Options.NewKey) {
        Invoke-NewKey
        $script:ExitCode = 0
        return
    }
    if ($script:Looks) { Update-Plan }
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
        Show-Words "differs from $PSScriptRoot"
        if ($script:WrongHost -ne '') { Write-Host 'Next: bring the folder that was made for this host.' }
        else { Write-Host 'Next: install.cmd -DryRun shows what would mend it, install.cmd does it.' }
        return      # with exit status 1
    }
    elseif ($script:Options.DryRun) {
        Show-Words 'this would change'
        if ($script:Options.Restart) { Write-Host ('Then this would run: ' + $script:RestartCommand) }
        Write-Host 'Nothing was changed.'
        Write-Host 'Next: run it without -DryRun.'
    }
    else {
        Invoke-Change
        if (-not $script:Options.Rollback) { Add-Faults }
        Show-Words 'changed'
        if ($script:Plan.Count -gt 0) { Show-NextStep }
    }
    $script:ExitCode = 0
}

function Write-Failure([string]$Message) { [System.Console]::Error.WriteLine("install.ps1: $Message") }

try { Invoke-Main $args }
catch {
    $reason = $_.Exception.GetBaseException().Message
    if ($ExitCode -eq 1 -and -not $Changed) { $reason += ' Nothing was changed.' }
    elseif ($Changed -and (Test-State 'commit')) { $reason += ' Run it again, which completes what was begun.' }
    Write-Failure $reason
}
finally {   # which runs after Ctrl-C too
    try { Exit-Change }
    catch { Write-Failure ($_.Exception.GetBaseException().Message) }
}
exit $ExitCode
