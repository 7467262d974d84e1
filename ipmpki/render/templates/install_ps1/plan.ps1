# ---- the plan -------------------------------------------------------------------------------------------
# $Record has lines 'file AREA NAME SHA-256 yes|no', the last telling whether it took the place of another file,
# 'set AREA KEYWORD VALUE' and 'folder AREA', for a folder that was made here.

function Find-Recorded([string]$Area, [string]$Name) {   # its line of the record, or nothing
    foreach ($line in @(Read-Lines (Get-StatePath 'installed'))) {
        $what, $area_of, $name_of, $rest = $line -split ' ', 4
        if ($what -eq 'file' -and $area_of -eq $Area -and $name_of -eq $Name) { return $line }
    }
    return ''
}

function Find-Difference([string]$Path, [string]$Content, [string]$Rights) {   # why it differs; empty: it does not
    if ([System.IO.Directory]::Exists($Path)) { Stop-Install 1 "$Path is a folder, not a file." }
    if (-not [System.IO.File]::Exists($Path)) { return 'missing' }
    if (-not (Read-Content $Path).Equals($Content)) { return 'other content' }
    if (-not (Test-Rights $Path $Rights)) { return 'wrong rights' }
    return ''
}

function Add-Change([string]$Area, [string]$Verb, [string]$Name, [string]$Reason, [string[]]$Edited) {
    $script:Changes.Add([pscustomobject]@{
        Area = $Area; Verb = $Verb; Name = $Name; Reason = $Reason; Edited = @($Edited)
    })
}

function Add-Step([string]$What, [string]$Area, [string]$Name, [string]$Content, [string]$Rights) {
    $script:Plan.Add([pscustomobject]@{
        What = $What; Area = $Area; Name = $Name; Content = $Content; Rights = $Rights
    })
}

function Add-File([string]$Area, [string]$Name, [string]$Content, [string]$Rights, [string]$How, [string[]]$Edited) {
    $recorded = Find-Recorded $Area $Name
    $why = Find-Difference (Get-Target $Area $Name) $Content $Rights
    if ($why -eq '') {
        if ($recorded -ne '') { $script:Record.Add($recorded) }
        return
    }
    $verb = 'replace'
    $reason = $why
    if ($why -eq 'missing') { $verb = 'create' }
    elseif ($why -eq 'other content' -and $Name -eq 'ipmssl.cfg') { $verb = 'edit' }
    $explained = $why -eq 'missing' -or ($why -eq 'other content' -and $How -ne '')
    if ($explained -and -not $script:Options.Verify) { $reason = $How }
    Add-Change $Area $verb $Name $reason $Edited
    Add-Step 'put' $Area $Name $Content $Rights
    $replaces = 'yes'
    if ($recorded -ne '') { $replaces = $recorded.Split(' ')[4] }
    elseif ($why -eq 'missing') { $replaces = 'no' }
    $script:Record.Add("file $Area $Name " + (Get-Sha256 $Content) + " $replaces")
}

function Add-Payload {
    foreach ($file in $script:Payload) {
        $rights = $script:PublicFile
        if ($file.Kind -eq 'key') { $rights = Get-KeyRights (Get-Target $file.Area $file.Name) }
        Add-File $file.Area $file.Name (Read-Content (Get-BundlePath $file.Name)) $rights '' @()
    }
}

function Test-StillWanted([string]$Area, [string]$Name) {
    if (@($script:Payload | Where-Object { $_.Area -eq $Area -and $_.Name -eq $Name }).Count -gt 0) { return $true }
    # A key of the host's own is in no folder.
    if ($script:OwnKey -and $Area -eq $script:Identity -and $Name -eq ($Area + '-key.pem')) { return $true }
    return $Name -eq 'ipmssl.cfg' -and @($script:Settings | Where-Object { $_.Area -eq $Area }).Count -gt 0
}

function Add-Farewells {   # what an earlier run put here and the folder (or, to uninstall, nobody) wants no more
    foreach ($line in @(Read-Lines (Get-StatePath 'installed'))) {
        $what, $area, $name, $digest, $replaces = $line -split ' ', 5
        if ($what -ne 'file' -or (Test-StillWanted $area $name)) { continue }
        if ([System.IO.File]::Exists((Get-Target $area $name))) { Add-Farewell $area $name $digest $replaces }
    }
}

function Add-Farewell([string]$Area, [string]$Name, [string]$Digest, [string]$Replaces) {
    $path = Get-Target $Area $Name
    $content = Read-Content $path
    $original = [System.IO.Path]::Combine($script:State, 'original', $Area, $Name)
    if ((Get-Sha256 $content) -eq $Digest) {
        if ($Replaces -eq 'yes' -and [System.IO.File]::Exists($original)) {
            Add-Change $Area 'restore' $Name 'as it was before install.ps1' @()
            Add-Step 'put' $Area $Name (Read-Content $original) (Read-KeptRights $original)
        }
        else {
            Add-Change $Area 'remove' $Name 'put here by install.ps1' @()
            Add-Step 'remove' $Area $Name '' ''
        }
    }
    elseif ($Name -eq 'ipmssl.cfg') {
        $after = Edit-Settings $content @(Get-Wanted $Area) $path
        if ($content.Equals($after)) { return }
        $why = 'changed since; only what install.ps1 had set is commented out'
        Add-Change $Area 'edit' $Name $why @(Get-EditedLines $content $after)
        Add-Step 'put' $Area $Name $after (Read-Rights $path)
    }
    else {
        Add-Note @($path, 'was changed since install.ps1 put it there, and stays.')
        $script:Record.Add("file $Area $Name $Digest $Replaces")
    }
}

function Find-Backup {   # the last one: their names sort by time
    if ([System.IO.Directory]::Exists($script:State)) {
        $backups = @([System.IO.Directory]::GetDirectories($script:State, 'backup-*') | Sort-Object)
        if ($backups.Count -gt 0) { return $backups[-1] }
    }
    Stop-Install 1 ('there is no backup below ' + $script:State + '.')
}

function Add-Rollback {
    $backup = Find-Backup
    foreach ($line in @(Read-Lines ([System.IO.Path]::Combine($backup, 'contents')))) {
        $what, $area, $name = $line -split ' ', 3
        if ($what -eq 'had') {
            $kept = [System.IO.Path]::Combine($backup, $area, $name)
            Add-Change $area 'restore' $name 'as it was before the last change' @()
            Add-Step 'put' $area $name (Read-Content $kept) (Read-KeptRights $kept)
        }
        elseif ([System.IO.File]::Exists((Get-Target $area $name))) {
            Add-Change $area 'remove' $name 'was not there before the last change' @()
            Add-Step 'remove' $area $name '' ''
        }
    }
    foreach ($line in @(Read-Lines ([System.IO.Path]::Combine($backup, 'installed')))) { $script:Record.Add($line) }
    foreach ($line in @(Read-Lines ([System.IO.Path]::Combine($backup, 'promoted')))) {
        $area, $name = $line -split ' ', 2
        $path = Get-Target $area $name
        $waiting = Get-WaitingKey
        if (-not [System.IO.File]::Exists($path)) { continue }
        if ([System.IO.File]::Exists($waiting)) {
            Add-Note @("the $name that goes is kept nowhere else, as a newer key waits in", "$waiting.")
        }
        else {
            $script:Returns = $path
            Add-Note @("the $name that goes waits again for its certificate to be installed, in", "$waiting.")
        }
    }
}

function Update-Plan {
    $script:Plan.Clear()
    $script:Changes.Clear()
    $script:Record.Clear()
    $script:Promotes = $false
    $script:Spends = $false
    $script:Returns = ''
    if ($script:Options.Rollback) {
        # An interrupted -Rollback that this run has completed is not followed by another.
        if (-not $script:RolledBack) { Add-Rollback }
        return
    }
    Add-Payload
    if ($script:OwnKey) { Add-OwnKey }
    elseif ([System.IO.File]::Exists((Get-WaitingKey))) {
        if ($script:Options.Uninstall) {
            Add-Change 'client' 'remove' '.ipmpki\waiting-key.pem' 'made here by install.ps1 -NewKey' @()
            $script:Spends = $true
        }
        else {
            Add-Note @('a key that -NewKey made waits in ' + (Get-WaitingKey) + '.',
                'Nothing in this folder needs it: remove it when you please.')
        }
    }
    foreach ($area in $script:Areas) {
        if (@($script:Settings | Where-Object { $_.Area -eq $area }).Count -gt 0) { Add-Settings $area }
    }
    Add-Farewells
}

function Read-KeptRights([string]$Copy) { return @(Read-Lines ($Copy + '.sddl')) -join '' }

# What comparing with the folder's files does not show; for -Verify, and after a change.

function Add-Expired([string]$Area, [string]$Name) {
    $path = Get-Target $Area $Name
    if (-not [System.IO.File]::Exists($path)) { return }
    try { $end = (Read-Certificate (Read-Content $path)).NotAfter }
    catch { Add-Change $Area 'find' $Name 'cannot be read as a certificate' @(); return }
    if ($end -lt [System.DateTime]::Now) { Add-Change $Area 'find' $Name 'expired' @() }
}

function Add-Faults {
    Add-Expired 'client' 'ca-cert.pem'
    if ($script:Identity -eq '') { return }
    $certificate = $script:Identity + '-cert.pem'
    $key = $script:Identity + '-key.pem'
    Add-Expired $script:Identity $certificate
    $certificate_path = Get-Target $script:Identity $certificate
    $key_path = Get-Target $script:Identity $key
    # A key of the host's own was held against the certificate of this folder.
    if ($script:OwnKey -or -not [System.IO.File]::Exists($certificate_path)) { return }
    if (-not [System.IO.File]::Exists($key_path)) { return }
    if (-not (Test-Pair (Read-Content $certificate_path) (Read-Content $key_path))) {
        Add-Change $script:Identity 'find' $key "does not belong to $certificate" @()
    }
}
