# ---- what is remembered ---------------------------------------------------------------------------------
# The record, 'installed', has lines 'file AREA NAME SHA-256 yes|no', the last telling whether it took the place of
# another file, 'set AREA KEYWORD VALUE', 'folder AREA LEVELS' for folders that were made here, 'reader SID' for
# whom -Owner named. What is remembered decides what is deleted, so each line is held against its form.

$NameForm = '(?:(?:ca-cert|client-ca-cert|crl|(?:server|client)-(?:cert|key))\.pem|ipmssl\.cfg)'
$BackupForm = 'backup-(?:\d{6}-)?\d{8}T\d{6}Z(?:-\d+)?'
$Forms = @{     # the first group tells two lines about the same thing
  installed = '(file AREA NAME) [0-9a-f]{64} (?:yes|no)|(set AREA \S+) .*|(folder AREA)(?: [1-9])?|(reader) S-1-[0-9-]+'
  contents = '(?:had|lacked) (AREA NAME(?:\.kept-\d+)?)'
  put = '(AREA NAME(?:\.kept-\d+)?)'; gone = '(AREA NAME)'; promoted = '((AREA) \2-key\.pem)'
  used = '(' + $BackupForm + ')'; stamp = '(' + $BackupForm + ')'; farewell = '(folder AREA)(?: [1-9])?'
}

function Read-Lines([string]$Path) {
  if (Test-Folder $Path) { Stop-Install 1 "$Path is a folder, not a file. Look who did this, and move it away." }
  if (-not (Test-File $Path)) { return }
  Assert-Plain $Path
  [IO.File]::ReadAllLines($Path)
}

function Read-Form([string]$Folder, [string]$Name) {   # lines of a file of this script's own, each known
  $path = Join-Name $Folder $Name
  $form = $Forms[$Name].Replace('AREA', '(?:' + ($Areas -join '|') + ')').Replace('NAME', $NameForm)
  $seen = New-Object 'Collections.Generic.HashSet[string]'
  $number = 0
  foreach ($line in @(Read-Lines $path)) {
    $number++
    $match = [regex]::Match($line, "\A(?:$form)\z")
    $what = 'is not what install.ps1 writes'
    if ($match.Success) {
      $about = @($match.Groups | Select-Object -Skip 1 | Where-Object { $_.Success })[0].Value
      if ($seen.Add($about)) { $line; continue }
      $what = 'is there twice'
    }
    Stop-Install 1 ("$path, line $number, '$line', $what, so nothing that is remembered is believed. " +
      "Look what was changed there; to begin anew, move $State away.")
  }
}

function Read-Record {   # as an interrupted run will leave it
  $folder = $State
  if ($Pending.Count -gt 0 -and (Test-File (Get-StatePath 'commit' 'installed'))) { $folder = Get-StatePath 'commit' }
  return Read-Form $folder 'installed'
}

function Find-Recorded([string]$Area, [string]$Name) {
  foreach ($line in @(Read-Record)) {
    if ($line.StartsWith("file $Area $Name ", [StringComparison]::Ordinal)) { return $line }
  }
  return ''
}

function Test-AsPut([string]$Area, [string]$Name, [string]$Content) {
  $recorded = Find-Recorded $Area $Name
  return $recorded -ne '' -and $recorded.Split(' ')[3] -eq (Get-Sha256 $Content)
}

function Get-Backups {   # the oldest first: by the number in their names, as a clock can be wrong
  if (-not (Test-Folder $State)) { return }
  $names = @([IO.Directory]::GetDirectories($State, 'backup-*') | ForEach-Object { [IO.Path]::GetFileName($_) } |
    Where-Object { $_ -match "\A$BackupForm\z" } | Sort-Object { (Get-BackupNumber $_).ToString('d6') + $_ })
  foreach ($name in $names) { Get-StatePath $name }
}

function Get-BackupNumber([string]$Name) {   # 0 for those of earlier versions, which had none
  if ($Name -match '\Abackup-(\d{6})-') { return [int]$Matches[1] }
  return 0
}

function Find-Backup {
  $backups = @(Get-Backups)
  if ($backups.Count -eq 0) { Stop-Install 1 "there is no backup below $State." }
  if (@(Read-Lines (Join-Name $backups[-1] 'contents')).Count -eq 0) {
    Stop-Install 1 ($backups[-1] + ' is no whole backup: the list of what stood here, contents, is missing or ' +
      'empty. Put it back, or move that folder away.')
  }
  return $backups[-1]
}

# ---- the plan -------------------------------------------------------------------------------------------

function Assert-Plain([string]$Path) {
  $item = Get-Item -LiteralPath $Path -Force
  if ([string]$item.LinkType -eq '' -and ($item.Attributes -band [IO.FileAttributes]::ReparsePoint) -eq 0) { return }
  $what = 'is a link, so what is done to it would be done elsewhere'
  if ($item.LinkType -eq 'HardLink') { $what = 'has another name elsewhere (a hard link), whose file would be the same' }
  Stop-Install 1 "$Path $what. Put a file of its own in its place, and run this again."
}

function Get-Standing([string]$Area, [string]$Name) {   # the file that has its content; '' where there is none
  if ($Pending.ContainsKey("$Area $Name")) { return $Pending["$Area $Name"] }
  $path = Get-Target $Area $Name
  if (Test-Folder $path) { Stop-Install 1 "$path is a folder, not a file. Move it away, and run this again." }
  if (-not (Test-Entry $path)) { return '' }
  Assert-Plain $path
  return $path
}

function Assert-Movable([string]$Area, [string]$Name) {
  $path = Get-Target $Area $Name
  if (-not $OnWindows -or $Options.Verify -or -not (Test-File $path)) { return }
  for ($attempt = 1; $true; $attempt++) {     # a virus scanner may hold it for a moment
    try {
      [IO.File]::Open($path, 'Open', 'Read', 'None').Dispose()
      return
    }
    catch {
      if ($attempt -lt 4) { Start-Sleep -Milliseconds 200; continue }
      Stop-Install 1 ("$path cannot be replaced: another program has it open. Stop the InfoPrint Manager " +
        'server or client first, or whatever has it open. ' + (Get-Cause $_))
    }
  }
}

function Add-Change([string]$Area, [string]$Verb, [string]$Name, [string]$Reason, [string[]]$Edited = @()) {
  $Changes.Add([pscustomobject]@{
    Area = $Area; Verb = $Verb; Name = $Name; Reason = $Reason; Edited = @($Edited)
  })
}

function Add-Step([string]$What, [string]$Area, [string]$Name, [string]$Content, [string]$Rights) {
  Assert-Movable $Area $Name
  $Plan.Add([pscustomobject]@{
    What = $What; Area = $Area; Name = $Name; Content = $Content; Rights = $Rights
  })
}

function Add-File([string]$Area, [string]$Name, [string]$Content, [string]$Rights, [string]$How, [string[]]$Edited) {
  $recorded = Find-Recorded $Area $Name
  $standing = Get-Standing $Area $Name
  $verb = 'create'
  $reason = 'missing'
  if ($standing -ne '') {
    $now = Read-Content $standing
    $verb = 'replace'
    $reason = 'other content'
    if ($now.Equals($Content)) {
      $fault = Test-Rights $standing $Rights
      if ($fault -eq '') {
        if ($recorded -ne '') { $Record.Add($recorded) }
        return
      }
      $reason = "wrong rights: $fault"
      $How = ''
    }
    elseif ($Name -eq 'ipmssl.cfg') { $verb = 'edit' }
    elseif ($recorded -ne '' -and -not (Test-AsPut $Area $Name $now)) {
      Add-Note @((Get-Target $Area $Name), 'was changed since install.ps1 put it there; -Rollback puts that back.')
    }
  }
  if (-not $Options.Verify -and ($How -ne '' -or $standing -eq '')) { $reason = $How }
  Add-Change $Area $verb $Name $reason $Edited
  Add-Step 'put' $Area $Name $Content $Rights
  $replaces = 'yes'
  if ($recorded -ne '') { $replaces = $recorded.Split(' ')[4] }
  elseif ($standing -eq '') { $replaces = 'no' }
  $Record.Add("file $Area $Name " + (Get-Sha256 $Content) + " $replaces")
}

function Add-Payload {
  foreach ($file in $Payload) {
    $rights = $PublicFile
#% if key
    if ($file.Kind -eq 'key') { $rights = Get-KeyRights }
#% end
    Add-File $file.Area $file.Name $Carried[$file.Name] $rights '' @()
  }
}

function Add-Settings([string]$Area) {
  $path = Get-Target $Area 'ipmssl.cfg'
  $standing = Get-Standing $Area 'ipmssl.cfg'
  $sample = Find-Sample $Area
  $before = "# Made by ipmpki's install.ps1, as there was no sample to go by.`r`n"
  $how = 'without a sample to go by'
  if ($standing -ne '') {
    $how = 'keywords set'
    $before = Read-Content $standing
  }
  elseif ($sample -ne '') {
    $how = 'from the sample'
    $before = Read-Content $sample
    Assert-PlainText $before $sample
  }
  else { Add-Note @('no sample ipmssl.cfg was found, so the form of', "$path is a guess.") }
  $edit = Edit-Settings $before @(Get-Wanted $Area) $path
  Add-File $Area 'ipmssl.cfg' $edit.Content (Get-SettingsRights $Area) $how $edit.Shown
  foreach ($step in $Plan) {
    if ($step.Area -eq $Area -and $step.Name -eq 'ipmssl.cfg') {
      $step | Add-Member -NotePropertyName Before -NotePropertyValue $before
    }
  }
  if (-not ($Record | Where-Object { $_.StartsWith("file $Area ipmssl.cfg ") })) { return }
  foreach ($setting in $Settings) {
    if ($setting.Area -eq $Area -and $setting.Action -eq 'set') {
      $Record.Add("set $Area $($setting.Keyword) " + (Expand-Variables $setting.Value))
    }
  }
}

function Test-StillWanted([string]$Area, [string]$Name) {
  if ($Payload | Where-Object { $_.Area -eq $Area -and $_.Name -eq $Name }) { return $true }
#% if own_key
  # A key of the host's own is in no folder.
  if ($OwnKey -and $Area -eq $Identity -and $Name -eq "$Area-key.pem") { return $true }
#% end
  return $Name -eq 'ipmssl.cfg' -and [bool]($Settings | Where-Object { $_.Area -eq $Area })
}

function Add-Farewells {   # what an earlier run put here and the folder (or, to uninstall, nobody) wants no more
  foreach ($line in @(Read-Record)) {
    $what, $area, $name, $digest, $replaces = $line -split ' ', 5
    if ($what -ne 'file' -or (Test-StillWanted $area $name)) { continue }
    Add-Farewell $area $name ($replaces -eq 'yes')
  }
}

function Find-Original([string]$Area, [string]$Name) {
  $path = Get-StatePath 'original' $Area $Name
  if (Test-File $path) { return $path }
  foreach ($backup in @(Get-Backups)) {   # the first of them in which it was not yet install.ps1's
    $path = Join-Name $backup $Area $Name
    if (-not (Test-File $path)) { continue }
    if (-not (Read-Form $backup 'installed' | Where-Object { $_.StartsWith("file $Area $Name ") })) { return $path }
  }
  Stop-Install 1 ((Get-Target $Area $Name) + ' has taken the place of another file, and no copy of that is left below ' +
    $State + '. Put one back, or move that folder away and remove what is to go by hand.')
}

function Add-Farewell([string]$Area, [string]$Name, [bool]$Replaces) {
  $path = Get-Target $Area $Name
  $standing = Get-Standing $Area $Name
  $original = ''
  if ($Replaces) { $original = Find-Original $Area $Name }
  if ($Name -eq 'ipmssl.cfg' -and $standing -ne '') {
    Add-SettingsFarewell $Area $standing $original
    return
  }
  if ($standing -ne '' -and -not (Test-AsPut $Area $Name (Read-Content $standing))) {
    Add-Note @($path, 'was changed since install.ps1 put it there, and stays.')
    $script:Stays = $true
    if ($original -ne '') { Add-KeptCopy $Area $Name $original 'what had stood there before is' }
    return
  }
  if ($original -ne '') {
    Add-Change $Area 'restore' $Name 'as it was before install.ps1'
    Add-Step 'put' $Area $Name (Read-Content $original) (Read-KeptRights $original)
  }
  elseif ($standing -ne '') { Add-Removal $Area $Name 'put here by install.ps1' }
}

function Add-SettingsFarewell([string]$Area, [string]$Standing, [string]$Original) {   # keywords go, other lines stay
  $now = Read-Content $Standing
  $rights = Get-KeptRights $Standing
  $base = Get-StatePath 'base' $Area 'ipmssl.cfg'
  $before = $null
  if ($Original -ne '') {
    $before = Read-Content $Original
    $rights = Read-KeptRights $Original
  }
  elseif (Test-File $base) { $before = Read-Content $base }
  if ($null -ne $before) {
    $then = (Edit-Settings $before @(Get-RecordedSettings $Area) $Standing).Content
    $after = Restore-Settings $Area $before $then $now
  }
  elseif (Test-AsPut $Area 'ipmssl.cfg' $now) { $after = '' }
  else { $after = (Edit-Settings $now @(Get-Wanted $Area) $Standing).Content }
  if ($Original -eq '' -and ($after -eq '' -or $after.Equals($before))) {
    Add-Removal $Area 'ipmssl.cfg' 'put here by install.ps1'
    return
  }
  if ($after.Equals($now) -and -not $Options.Uninstall) { return }
  if ($after.Equals($before)) { Add-Change $Area 'restore' 'ipmssl.cfg' 'as it was before install.ps1' }
  else {
    $why = 'keywords taken back; what was written into it since stays'
    Add-Change $Area 'edit' 'ipmssl.cfg' $why @(Get-ShownLines $now $after)
  }
  Add-Step 'put' $Area 'ipmssl.cfg' $after $rights
}

function Add-Removal([string]$Area, [string]$Name, [string]$Reason) {
  Add-Change $Area 'remove' $Name $Reason
  Add-Step 'remove' $Area $Name '' ''
}

function Add-KeptCopy([string]$Area, [string]$Name, [string]$Source, [string]$What) {   # of what would be lost else
  $content = Read-Content $Source
  $number = 1
  while ((Test-Entry (Get-Target $Area "$Name.kept-$number")) -or
    ($Plan | Where-Object { $_.Area -eq $Area -and $_.Name -eq "$Name.kept-$number" })) { $number++ }
  Add-Change $Area 'keep' "$Name.kept-$number" "$What kept"
  Add-Step 'put' $Area "$Name.kept-$number" $content $PrivateFile
}

function Add-KeptBackups {   # by -Uninstall: what people had put in the place of a file, of which the backups alone know
  $seen = @{}
  foreach ($backup in @(Get-Backups)) {
    $then = @(Read-Form $backup 'installed')
    foreach ($line in @(Read-Form $backup 'contents')) {
      $what, $area, $name = $line -split ' ', 3
      $recorded = @($then | Where-Object { $_.StartsWith("file $area $name ") })
      # Without a line it is the original; of ipmssl.cfg each change kept what was written into it.
      if ($what -ne 'had' -or $name -eq 'ipmssl.cfg' -or $recorded.Count -eq 0) { continue }
      $copy = Join-Name $backup $area $name
      if (-not (Test-File $copy)) { continue }
      $digest = Get-Sha256 (Read-Content $copy)
      if ($recorded[0].Split(' ')[3] -eq $digest -or $seen.ContainsKey("$area $name $digest")) { continue }
      $seen["$area $name $digest"] = $true
      Add-KeptCopy $area $name $copy 'what somebody had put there in between is'
    }
  }
}

function Add-Rollback {
  $backup = Find-Backup
  foreach ($line in @(Read-Form $backup 'contents')) {
    $what, $area, $name = $line -split ' ', 3
    Add-Return $backup $area $name ($what -eq 'had')
  }
  foreach ($line in @(Read-Form $backup 'installed')) { $Record.Add($line) }
  foreach ($line in @(Read-Form $backup 'promoted')) {
    $area, $name = $line -split ' ', 2
    $path = Get-Standing $area $name
    if ($path -eq '') { continue }
    $waiting = Get-StatePath 'waiting-key.pem'
    if (Test-File $waiting) {
      Add-Note @("the $name that goes is kept nowhere else, as a newer key waits in", "$waiting.")
    }
    else {
      $script:Returns = $path
      Add-Note @("the $name that goes waits again for its certificate to be installed, in", "$waiting.")
    }
  }
}

function Add-Return([string]$Backup, [string]$Area, [string]$Name, [bool]$Had) {
  $standing = Get-Standing $Area $Name
  $copy = Join-Name $Backup $Area $Name
  $put = Join-Name $Backup 'after' $Area $Name
  $now = $null
  $old = $null
  if ($standing -ne '') { $now = Read-Content $standing }
  if ($Had) {
    if (-not (Test-File $copy)) { Stop-Install 1 "$Backup is no whole backup: $copy is missing. Put it back." }
    $old = Read-Content $copy
  }
  $is_ours = $null -eq $now -or (Test-AsPut $Area $Name $now) -or ($null -ne $old -and $now.Equals($old))
  if (-not $is_ours -and $Name -eq 'ipmssl.cfg' -and (Test-File $put) -and ($Had -or (Test-File "$put.before"))) {
    $before = $old
    if (-not $Had) { $before = Read-Content "$put.before" }
    $after = Restore-Settings $Area $before (Read-Content $put) $now
    if ($Had -or -not $after.Equals($before)) {
      $why = 'as before the last change; what was written into it since stays'
      Add-Change $Area 'edit' $Name $why @(Get-ShownLines $now $after)
      $rights = Get-KeptRights $standing
      if ($Had) { $rights = Read-KeptRights $copy }
      Add-Step 'put' $Area $Name $after $rights
      return
    }
  }
  elseif (-not $is_ours) { Add-KeptCopy $Area $Name $standing 'what somebody has put there since is' }
  if ($Had) {
    Add-Change $Area 'restore' $Name 'as it was before the last change'
    Add-Step 'put' $Area $Name $old (Read-KeptRights $copy)
  }
  elseif ($standing -ne '') { Add-Removal $Area $Name 'was not there before the last change' }
}

function Update-Plan {
  $Plan.Clear()
  $Changes.Clear()
  $Record.Clear()
  $script:Promotes = $false
  $script:Spends = $false
  $script:Returns = ''
  Show-Mends
  foreach ($area in $Areas) {
    $place = Get-StageFolder $area
    if (Test-File $place) { Stop-Install 1 "$place is a file, not a folder. Move it away, and run this again." }
  }
  if ($Options.Rollback) {
    # An interrupted -Rollback that this run has completed is not followed by another.
    if (-not $RolledBack) { Add-Rollback }
    return
  }
#% if key
  if ($AccountFault -ne '') { Add-Change $Role 'find' "$Role-key.pem" $AccountFault }
#% end
  Add-Payload
#% if own_key
  if ($OwnKey) { Add-OwnKey }
#% end
  if (-not $OwnKey -and (Test-File (Get-StatePath 'waiting-key.pem'))) { Add-UnusedKey }
  foreach ($area in $Areas) {
    if ($Settings | Where-Object { $_.Area -eq $area }) { Add-Settings $area }
  }
  Add-Farewells
  if ($Options.Uninstall) {
    Add-KeptBackups
    if ($Changes.Count -eq 0 -and (Test-Remembered)) {
      Assert-Record
      Add-Change 'client' 'remove' '.ipmpki' 'what install.ps1 remembered'
    }
  }
#% if key
  elseif ($Account -ne '' -and ($Options.Owner -ne '' -or (Find-RecordedReader) -eq $Account)) {
    $Record.Add('reader ' + $Account)
  }
#% end
}

function Add-UnusedKey {   # one that -NewKey made, and that no certificate of this folder belongs to
  if ($Options.Uninstall) {
    Add-Change 'client' 'remove' '.ipmpki\waiting-key.pem' 'made here by install.ps1 -NewKey'
    $script:Spends = $true
  }
  else {
    Add-Note @('a key that -NewKey made waits in ' + (Get-StatePath 'waiting-key.pem') + '.',
      'Nothing in this folder needs it: remove it when you please.')
  }
}

function Assert-Record {   # without it, nobody can tell what is to go and what is to come back
  if (@(Read-Record).Count -gt 0) { return }
  if (@(Get-Backups).Count -eq 0 -and -not (Test-State 'original')) { return }
  Stop-Install 1 ((Get-StatePath 'installed') + ' is missing or empty, so nobody can tell what install.ps1 put here. ' +
    "Put it back; or look through $State for files of yours, and move it away.")
}

function Test-Remembered {
  if (-not (Test-Folder $State)) { return $false }
  return [bool]([IO.Directory]::GetFileSystemEntries($State) | Where-Object { [IO.Path]::GetFileName($_) -ne 'running' })
}

function Read-KeptRights([string]$Copy) {
  if (-not $SetsRights) { return '' }
  $lines = @(Read-Lines ($Copy + '.sddl'))
  if ($lines.Count -eq 0 -or -not $lines[0].StartsWith('D:P')) { return $PrivateFile }
  return $lines[0]
}

# What comparing with the folder's files does not show; for -Verify, and after a change.

function Add-Dates([string]$Area, [string]$Name) {
  $path = Get-Target $Area $Name
  if (-not (Test-File $path)) { return }
  try { $certificate = Read-Certificate (Read-Content $path) }
  catch { Add-Change $Area 'find' $Name 'cannot be read as a certificate'; return }
  if ($certificate.NotAfter -lt [DateTime]::Now) { Add-Change $Area 'find' $Name 'expired' }
  elseif ($certificate.NotBefore -gt [DateTime]::Now) {
    Add-Change $Area 'find' $Name "not valid yet: see this computer's clock"
  }
}

function Add-Faults {
  Add-Dates 'client' 'ca-cert.pem'
#% if key
  if ($Identity -eq '') { return }
  Add-Dates $Identity "$Identity-cert.pem"
  $certificate = Get-Target $Identity "$Identity-cert.pem"
  $key = Get-Target $Identity "$Identity-key.pem"
  # A key of the host's own was held against the certificate of this folder.
  if ($OwnKey -or -not (Test-File $certificate) -or -not (Test-File $key)) { return }
  if (-not (Test-Pair (Read-Content $certificate) (Read-Content $key))) {
    Add-Change $Identity 'find' "$Identity-key.pem" "does not belong to $Identity-cert.pem"
  }
#% end
}
