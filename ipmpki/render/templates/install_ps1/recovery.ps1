# ---- recovery, and what is left behind ------------------------------------------------------------------

function Clear-Preparation {   # of this run or an earlier one; nothing was put in place
    foreach ($file in @(Get-NewFile)) { [System.IO.File]::Delete($file) }
    Remove-Tree (Get-StatePath 'prepare')
    Remove-Tree (Get-StatePath 'done')
}

function Restore-Old {   # what 'undo' has a backup of; may be run again from any point
    $backup = [System.IO.Path]::Combine($script:State, 'undo', 'backup')
    foreach ($line in @(Read-Lines ([System.IO.Path]::Combine($backup, 'contents')))) {
        $what, $area, $name = $line -split ' ', 3
        $path = Get-Target $area $name
        [System.IO.File]::Delete($path + $script:Suffix)
        if ($what -eq 'lacked') {
            [System.IO.File]::Delete($path)
            continue
        }
        $kept = [System.IO.Path]::Combine($backup, $area, $name)
        $content = Read-Content $kept
        $rights = Read-KeptRights $kept
        if ((Find-Difference $path $content $rights) -eq '') { continue }
        Write-NewFile ($path + $script:Suffix) $content $rights
        Move-Over ($path + $script:Suffix) $path
    }
    # One rename ends it; what is left then, the next run throws away.
    Move-Over (Get-StatePath 'undo') (Get-StatePath 'done')
    Remove-Tree (Get-StatePath 'done')
}

function Complete-Change {   # what is remembered of the change: originals, backup, record
    $commit = Get-StatePath 'commit'
    foreach ($area in $script:Areas) {
        $from = [System.IO.Path]::Combine($commit, 'original', $area)
        $to = [System.IO.Path]::Combine($script:State, 'original', $area)
        if (-not [System.IO.Directory]::Exists($from)) { continue }
        [void][System.IO.Directory]::CreateDirectory($to)
        foreach ($file in [System.IO.Directory]::GetFiles($from)) {
            Move-Over $file ([System.IO.Path]::Combine($to, [System.IO.Path]::GetFileName($file)))
        }
    }
    $backup = [System.IO.Path]::Combine($commit, 'backup')
    foreach ($stamp in @(Read-Lines ([System.IO.Path]::Combine($commit, 'stamp')))) {
        if ([System.IO.Directory]::Exists($backup)) { Move-Over $backup (Get-StatePath $stamp) }
    }
    foreach ($name in @('restart-due', 'installed')) {
        $file = [System.IO.Path]::Combine($commit, $name)
        if ([System.IO.File]::Exists($file)) { Move-Over $file (Get-StatePath $name) }
    }
    if ([System.IO.File]::Exists([System.IO.Path]::Combine($commit, 'spent'))) {
        [System.IO.File]::Delete((Get-WaitingKey))
    }
    $made = [System.IO.Path]::Combine($commit, 'waiting-key.pem')
    if ([System.IO.File]::Exists($made)) { Move-Over $made (Get-WaitingKey) }
    foreach ($used in @(Read-Lines ([System.IO.Path]::Combine($commit, 'used')))) {
        Remove-Tree (Get-StatePath $used)
        $script:RolledBack = $true
    }
    $farewell = [System.IO.Path]::Combine($commit, 'farewell')
    if ([System.IO.File]::Exists($farewell)) { Remove-Record @(Read-Lines $farewell) }
    Move-Over $commit (Get-StatePath 'done')
    Remove-Tree (Get-StatePath 'done')
}

function Remove-Record([string[]]$Folders) {   # uninstalled: nothing of install.ps1 stays, nor folders it made
    foreach ($folder in [System.IO.Directory]::GetDirectories($script:State)) {
        if ([System.IO.Path]::GetFileName($folder) -ne 'commit') { Remove-Tree $folder }
    }
    foreach ($name in @('restart-due', 'installed')) { [System.IO.File]::Delete((Get-StatePath $name)) }
    foreach ($line in $Folders) { $script:MadeFolders.Add($line.Split(' ')[1]) }
}

function Test-Interrupted {   # whether a run was killed here
    foreach ($name in @('prepare', 'commit', 'undo', 'done')) { if (Test-State $name) { return $true } }
    return @(Get-NewFile).Count -gt 0
}

function Repair-Interrupted {   # from a run that was killed
    if (Test-State 'commit') {
        Write-Host 'An earlier run was interrupted when all was prepared: completing it.'
        $script:Changed = $true
        Move-InPlace
        Complete-Change
        $script:Recovered = 'completed what an earlier run had prepared'
    }
    elseif (Test-State 'undo') {
        Write-Host 'An earlier run failed and was interrupted when it put the old files back: they are put back.'
        $script:Changed = $true
        Restore-Old
        $script:Recovered = 'put back what an earlier run had replaced'
    }
    elseif ((Test-State 'prepare') -or @(Get-NewFile).Count -gt 0) {
        Write-Host 'An earlier run was interrupted before it changed anything: its preparations are thrown away.'
    }
    Clear-Preparation
}
