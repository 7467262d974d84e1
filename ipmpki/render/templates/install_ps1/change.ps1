# ---- the change -----------------------------------------------------------------------------------------

function Move-Once([string]$Source, [string]$Target) {   # one rename, whether Target is there or not
    # File.Replace would not do: it gives the new file the rights of the old one. Move with 'overwrite' is
    # Windows' MoveFileEx, which .NET Framework offers in this place only.
    if ([System.IO.Directory]::Exists($Source)) { [System.IO.Directory]::Move($Source, $Target) }
    elseif ($PSVersionTable.PSVersion.Major -ge 7) { [System.IO.File]::Move($Source, $Target, $true) }
    else {
        Add-Type -AssemblyName Microsoft.VisualBasic
        [Microsoft.VisualBasic.FileIO.FileSystem]::MoveFile($Source, $Target, $true)
    }
}

function Move-Over([string]$Source, [string]$Target) {   # tried again, as a virus scanner may hold a new file
    for ($attempt = 1; $attempt -lt 5; $attempt++) {
        try { Move-Once $Source $Target; return }
        catch { Start-Sleep -Milliseconds 200 }
    }
    Move-Once $Source $Target
}

function Remove-Tree([string]$Path) {
    if ([System.IO.Directory]::Exists($Path)) { [System.IO.Directory]::Delete($Path, $true) }
}

function Remove-EmptyFolder([string]$Path) {
    if (-not [System.IO.Directory]::Exists($Path)) { return }
    if ([System.IO.Directory]::GetFileSystemEntries($Path).Length -eq 0) { [System.IO.Directory]::Delete($Path) }
}

function New-AreaFolder([string]$Area) {   # open to all to look into, as ipmssl.cfg and ca-cert.pem must be
    $folder = Get-Folder $Area
    if ([System.IO.Directory]::Exists($folder)) { return }
    [void][System.IO.Directory]::CreateDirectory($folder)
    Set-Rights $folder $script:PublicFolder
    $script:MadeFolders.Add($Area)
}

function Enter-Change {   # from here on this run may change something, and no other run can
    New-AreaFolder 'client'
    if (-not [System.IO.Directory]::Exists($script:State)) {
        [void][System.IO.Directory]::CreateDirectory($script:State)
        Set-Rights $script:State $script:PrivateFolder
    }
    # Nobody else can open the file, and it goes however this process ends.
    $whole = [System.IO.FileOptions]::DeleteOnClose
    try { $script:Lock = [System.IO.File]::Create((Get-StatePath 'running'), 4096, $whole) }
    catch { Stop-Install 1 ('is another install.ps1 at work? ' + $_.Exception.GetBaseException().Message) }
    Repair-Interrupted
}

function Exit-Change {   # at every end; whoever has no lock has changed nothing
    if ($null -eq $script:Lock) { return }
    if (-not (Test-State 'commit') -and -not (Test-State 'undo')) { Clear-Preparation }
    $script:Lock.Dispose()
    $script:Lock = $null
    Remove-EmptyFolder $script:State
    foreach ($area in $script:MadeFolders) { Remove-EmptyFolder (Get-Folder $area) }
}

function Test-State([string]$Name) { return [System.IO.Directory]::Exists((Get-StatePath $Name)) }

function Get-NewFile {   # files that were prepared and not yet renamed
    foreach ($area in $script:Areas) {
        $folder = Get-Folder $area
        if ([System.IO.Directory]::Exists($folder)) { [System.IO.Directory]::GetFiles($folder, '*' + $script:Suffix) }
    }
}

function Copy-Aside([string]$Path, [string]$Copy) {   # for nobody's eyes, with its rights beside it
    Write-NewFile $Copy (Read-Content $Path) $script:PrivateFile
    if ($script:SetsRights) { Write-Lines ($Copy + '.sddl') @(Read-Rights $Path) }
}

function Write-Preparation {   # all of the change, but for the deciding rename
    $next = Get-StatePath 'prepare'
    $contents = @()
    $put = @()
    $gone = @()
    foreach ($area in $script:Areas) {
        foreach ($part in @('backup', 'original')) {
            [void][System.IO.Directory]::CreateDirectory([System.IO.Path]::Combine($next, $part, $area))
        }
    }
    foreach ($step in $script:Plan) {
        New-AreaFolder $step.Area
        $path = Get-Target $step.Area $step.Name
        $which = $step.Area + ' ' + $step.Name
        if ([System.IO.File]::Exists($path)) {
            $contents += "had $which"
            Copy-Aside $path ([System.IO.Path]::Combine($next, 'backup', $step.Area, $step.Name))
            if ((Find-Recorded $step.Area $step.Name) -eq '') {
                Copy-Aside $path ([System.IO.Path]::Combine($next, 'original', $step.Area, $step.Name))
            }
        }
        else { $contents += "lacked $which" }
        if ($step.What -eq 'remove') { $gone += $which }
        else {
            $put += $which
            Write-NewFile ($path + $script:Suffix) $step.Content $step.Rights
        }
    }
    Write-Lines ([System.IO.Path]::Combine($next, 'backup', 'contents')) $contents
    Write-Lines ([System.IO.Path]::Combine($next, 'put')) $put
    Write-Lines ([System.IO.Path]::Combine($next, 'gone')) $gone
    if ($script:Plan.Count -gt 0) { Write-Lines ([System.IO.Path]::Combine($next, 'restart-due')) @('yes') }
    if ($script:Promotes) {
        $promoted = $script:Identity + ' ' + $script:Identity + '-key.pem'
        Write-Lines ([System.IO.Path]::Combine($next, 'backup', 'promoted')) @($promoted)
    }
    if ($script:Promotes -or $script:Spends) { Write-Lines ([System.IO.Path]::Combine($next, 'spent')) @('yes') }
    if ($script:Returns -ne '') {
        $copy = [System.IO.Path]::Combine($next, 'waiting-key.pem')
        Write-NewFile $copy (Read-Content $script:Returns) (Get-KeyRights $script:Returns)
    }
    if ($script:Options.Rollback) {
        Write-Lines ([System.IO.Path]::Combine($next, 'used')) @([System.IO.Path]::GetFileName((Find-Backup)))
    }
    else { Write-Lines ([System.IO.Path]::Combine($next, 'stamp')) @(New-Stamp) }
    $installed = @(Read-Lines (Get-StatePath 'installed'))
    Write-Lines ([System.IO.Path]::Combine($next, 'backup', 'installed')) $installed
    # A folder is remembered until it goes, whatever becomes of the files.
    $lines = @($script:Record | Where-Object { -not $_.StartsWith('folder ') })
    $folders = @($installed | Where-Object { $_.StartsWith('folder ') })
    $folders += @($script:MadeFolders | ForEach-Object { "folder $_" })
    $name = 'installed'
    if ($script:Options.Uninstall -and $lines.Count -eq 0) { $name = 'farewell' }
    Write-Lines ([System.IO.Path]::Combine($next, $name)) ($lines + $folders)
}

function New-Stamp {   # a name for the backup, in UTC; a second one in the same second comes after
    $invariant = [System.Globalization.CultureInfo]::InvariantCulture      # others may have other calendars
    $now = [System.DateTime]::UtcNow.ToString('yyyyMMdd\THHmmss\Z', $invariant)
    $same = 10
    while (Test-State "backup-$now-$same") { $same++ }
    return "backup-$now-$same"
}

function Invoke-Change {
    Write-Preparation
    $commit = Get-StatePath 'commit'
    Move-Over (Get-StatePath 'prepare') $commit      # this rename decides
    $script:Changed = $true
    try {
        Move-InPlace
        Assert-Outcome
    }
    catch {
        $reason = $_.Exception.GetBaseException().Message
        Move-Over $commit (Get-StatePath 'undo')
        try { Restore-Old }
        catch {
            $reason += ' ' + $_.Exception.GetBaseException().Message
            Stop-Install 1 "$reason Not all old files could be put back: run it again, which puts them back."
        }
        Stop-Install 1 "a file could not be put in place; what had stood here was put back. $reason"
    }
    Complete-Change
}

function Move-InPlace {   # the files of 'commit'; this, and Complete-Change, may be run again from any point
    $commit = Get-StatePath 'commit'
    foreach ($line in @(Read-Lines ([System.IO.Path]::Combine($commit, 'put')))) {
        $area, $name = $line -split ' ', 2
        $path = Get-Target $area $name
        if ([System.IO.File]::Exists($path + $script:Suffix)) { Move-Over ($path + $script:Suffix) $path }
    }
    foreach ($line in @(Read-Lines ([System.IO.Path]::Combine($commit, 'gone')))) {
        $area, $name = $line -split ' ', 2
        [System.IO.File]::Delete((Get-Target $area $name))
    }
}

function Assert-Outcome {   # what was put must stand there now
    foreach ($step in $script:Plan) {
        $path = Get-Target $step.Area $step.Name
        $right = (Find-Difference $path $step.Content $step.Rights) -eq ''
        if ($step.What -eq 'remove') { $right = -not [System.IO.File]::Exists($path) }
        if (-not $right) { throw "$path is not as it was put there a moment ago: is another program at work?" }
    }
}
