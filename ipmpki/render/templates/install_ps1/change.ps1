# ---- the change -----------------------------------------------------------------------------------------

function Move-Once([string]$Source, [string]$Target) {   # one rename, whether Target is there or not
  # File.Replace would not do: it gives the new file the rights of the old one. Move with 'overwrite' is
  # Windows' MoveFileEx, which .NET Framework offers in this place only.
  if (Test-Folder $Source) { [IO.Directory]::Move($Source, $Target) }
  elseif ($IsCore) { [IO.File]::Move($Source, $Target, $true) }
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

function Test-ReadOnly([string]$Path) {   # the attribute, on Windows; rename and deletion fail with it
  return $OnWindows -and (Test-File $Path) -and
    ([IO.File]::GetAttributes($Path) -band [IO.FileAttributes]::ReadOnly) -ne 0
}

function Set-ReadOnly([string]$Path, [bool]$IsReadOnly) {
  if ((Test-ReadOnly $Path) -eq $IsReadOnly) { return }
  $attributes = [IO.File]::GetAttributes($Path)
  [IO.File]::SetAttributes($Path, ($attributes -bxor [IO.FileAttributes]::ReadOnly))
}

function Move-InPlaceOf([string]$Source, [string]$Target) {   # which keeps its attribute 'read-only'
  $is_read_only = Test-ReadOnly $Target
  if ($is_read_only) { Set-ReadOnly $Target $false }
  try { Move-Over $Source $Target }
  finally { if ($is_read_only) { Set-ReadOnly $Target $true } }
}

function Remove-File([string]$Path) {
  if (Test-ReadOnly $Path) { Set-ReadOnly $Path $false }
  if (Test-File $Path) { [IO.File]::Delete($Path) }
}

function Remove-Tree([string]$Path) {
  if (Test-Folder $Path) { [IO.Directory]::Delete($Path, $true) }
}

function Remove-EmptyFolder([string]$Path) {   # and whether it has gone
  if (-not (Test-Folder $Path) -or [IO.Directory]::GetFileSystemEntries($Path).Length -ne 0) { return $false }
  [IO.Directory]::Delete($Path)
  return $true
}

function New-CheckedFolder([string]$Path, [string]$Rights) {
  New-Folder $Path $Rights
  # Somebody else may have made it a moment before.
  $why = Find-FolderFault $Path $TakesFolder
  if ($why -ne '') { Stop-Install 1 "$Path $why. It was not there a moment ago: who made it?" }
}

function New-AreaFolder([string]$Area) {   # open to all to look into, as ipmssl.cfg and ca-cert.pem must be
  $levels = 0
  $own = Get-Folder $Area
  foreach ($folder in @(Get-Way $Area)) {
    if (Test-Folder $folder) { continue }
    $rights = $PublicFolder
    if ($folder -eq $own) { $rights = Get-FolderRights $Area }
    New-CheckedFolder $folder $rights
    $levels++
  }
  if ($levels -gt 0) { $MadeFolders.Add("folder $Area $levels") }
}

function Remove-MadeFolders([string]$Line) {
  $what, $area, $levels = $Line -split ' ', 3
  $folder = Get-Folder $area
  for ($count = [Math]::Max(1, [int]$levels); $count -gt 0; $count--) {
    if (-not (Remove-EmptyFolder $folder) -and (Test-Folder $folder)) { return }
    $folder = [IO.Path]::GetDirectoryName($folder)
  }
}

function Enter-Change {   # from here on this run may change something, and no other run can
  if ($null -ne $Lock) { return }
  New-AreaFolder 'client'
  if (-not (Test-Folder $State)) { New-CheckedFolder $State $PrivateFolder }
  # Nobody else can open the file, and it goes however this process ends.
  $whole = [IO.FileOptions]::DeleteOnClose
  try { $script:Lock = [IO.File]::Create((Get-StatePath 'running'), 4096, $whole) }
  catch {
    Stop-Install 1 ('is another install.ps1 at work here? Wait until it has ended. ' + (Get-Cause $_) + '.')
  }
  Repair-Interrupted
}

function Exit-Change {   # at every end; whoever has no lock has changed nothing
  if ($null -eq $Lock) { return }
  if (-not (Test-State 'commit') -and -not (Test-State 'undo')) { Clear-Preparation }
  $Lock.Dispose()
  $script:Lock = $null
  [void](Remove-EmptyFolder $State)
  foreach ($line in $MadeFolders) { Remove-MadeFolders $line }
}

function Get-StageFolder([string]$Area) { return Get-Target $Area $Stage }

function Clear-Preparation {
  foreach ($area in $Areas) { Remove-Tree (Get-StageFolder $area) }
  foreach ($name in @('prepare', 'done', 'rolled-back')) { Remove-Tree (Get-StatePath $name) }
}

function Write-Lines([string]$Path, [string[]]$Lines) {   # a file for this script alone
  Write-PrivateFile $Path (ConvertTo-Content ($Lines -join "`n"))
}

function Write-PrivateFile([string]$Path, [string]$Content) {
  New-PrivateFolder ([IO.Path]::GetDirectoryName($Path))
  Write-NewFile $Path $Content $PrivateFile
}

function New-PrivateFolder([string]$Path) {   # and those above it that are missing, of those that are made here
  $above = [IO.Path]::GetDirectoryName($Path)
  if (-not (Test-Folder $above)) { New-PrivateFolder $above }
  New-Folder $Path $PrivateFolder
}

function Copy-Aside([string]$Path, [string]$Copy) {
  Write-PrivateFile $Copy (Read-Content $Path)
  if ($SetsRights) { Write-Lines ($Copy + '.sddl') @(Get-KeptRights $Path) }
}

function Write-Step($Step, [string]$Next) {
  $path = Get-Target $Step.Area $Step.Name
  $stood = Test-File $path
  if ($stood) {
    Copy-Aside $path (Join-Name $Next 'backup' $Step.Area $Step.Name)
    if ((Find-Recorded $Step.Area $Step.Name) -eq '') { Copy-Aside $path (Join-Name $Next 'original' $Step.Area $Step.Name) }
  }
  if ($Step.What -eq 'remove') { return }
  New-PrivateFolder (Get-StageFolder $Step.Area)
  Write-NewFile (Join-Name (Get-StageFolder $Step.Area) $Step.Name) $Step.Content $Step.Rights
  if ($Step.Name -ne 'ipmssl.cfg') { return }
  # To tell later what people wrote into it from what was set here.
  $put = Join-Name $Next 'backup' 'after' $Step.Area 'ipmssl.cfg'
  Write-PrivateFile $put $Step.Content
  if ($stood -or $null -eq $Step.PSObject.Properties['Before']) { return }
  Write-PrivateFile "$put.before" $Step.Before
  Write-PrivateFile (Join-Name $Next 'base' $Step.Area 'ipmssl.cfg') $Step.Before
}

function Write-Preparation {   # all of the change, but for the deciding rename
  $next = Get-StatePath 'prepare'
  $backup = Join-Name $next 'backup'
  foreach ($area in @($Plan | ForEach-Object { $_.Area } | Select-Object -Unique)) { New-AreaFolder $area }
  $contents = @()
  $put = @()
  $gone = @()
  foreach ($step in $Plan) {
    $which = $step.Area + ' ' + $step.Name
    if (Test-File (Get-Target $step.Area $step.Name)) { $contents += "had $which" }
    else { $contents += "lacked $which" }
    if ($step.What -eq 'remove') { $gone += $which }
    else { $put += $which }
    Write-Step $step $next
  }
  Write-Lines (Join-Name $backup 'contents') $contents
  Write-Lines (Join-Name $next 'put') $put
  Write-Lines (Join-Name $next 'gone') $gone
  if ($Plan.Count -gt 0) { Write-Lines (Join-Name $next 'restart-due') @('yes') }
  if ($Promotes) { Write-Lines (Join-Name $backup 'promoted') @("$Identity $Identity-key.pem") }
  if ($Promotes -or $Spends) { Write-Lines (Join-Name $next 'spent') @('yes') }
  if ($Returns -ne '') { Write-PrivateFile (Join-Name $next 'waiting-key.pem') (Read-Content $Returns) }
  if ($Options.Rollback) { Write-Lines (Join-Name $next 'used') @([IO.Path]::GetFileName((Find-Backup))) }
  else { Write-Lines (Join-Name $next 'stamp') @(New-Stamp) }
  $installed = @(Read-Lines (Get-StatePath 'installed'))
  Write-Lines (Join-Name $backup 'installed') $installed
  $lines = @($Record | Where-Object { -not $_.StartsWith('folder ') })
  $name = 'installed'
  if ($Options.Uninstall -and $lines.Count -eq 0) { $name = 'farewell' }
  Write-Lines (Join-Name $next $name) ($lines + @(Get-FolderLines $installed))
}

function Get-FolderLines([string[]]$Installed) {   # a folder is remembered until it goes, whatever becomes of the files
  $known = @()
  foreach ($line in @($Installed) + @($MadeFolders)) {
    if ($line -notmatch '\Afolder (\S+)' -or $known -contains $Matches[1]) { continue }
    $known += $Matches[1]
    $line
  }
}

function New-Stamp {   # a name for the backup: its number, and the time, in UTC, for people
  $invariant = [Globalization.CultureInfo]::InvariantCulture      # others may have other calendars
  $now = [DateTime]::UtcNow.ToString('yyyyMMdd\THHmmss\Z', $invariant)
  $last = 0
  foreach ($backup in @(Get-Backups)) { $last = Get-BackupNumber ([IO.Path]::GetFileName($backup)) }
  return 'backup-' + ($last + 1).ToString('d6') + '-' + $now
}

function Invoke-Change {
  Invoke-Mends
  # Else what was mended was rights of folders alone.
  if ($Plan.Count -eq 0 -and -not $Promotes -and -not $Spends -and -not $Options.Uninstall) { return }
  Write-Preparation
  $commit = Get-StatePath 'commit'
  Move-Over (Get-StatePath 'prepare') $commit      # this rename decides
  $script:Changed = $true
  try {
    Move-InPlace
    Assert-Outcome
  }
  catch {
    $reason = Get-Cause $_
    Move-Over $commit (Get-StatePath 'undo')
    try { Restore-Old }
    catch { Stop-Install 5 "$reason $(Get-Cause $_) Not all old files could be put back: run it again, which puts them back." }
    $script:Changed = $Recovered -ne '' -or $Mends.Count -gt 0
    Stop-Install 1 "a file could not be put in place; what had stood here was put back. $reason"
  }
  Complete-Change
}

function Move-InPlace {   # the files of 'commit'; this, and Complete-Change, may be run again from any point
  $commit = Get-StatePath 'commit'
  foreach ($line in @(Read-Form $commit 'put')) {
    $area, $name = $line -split ' ', 2
    $new = Join-Name (Get-StageFolder $area) $name
    if (Test-File $new) { Move-InPlaceOf $new (Get-Target $area $name) }
  }
  foreach ($line in @(Read-Form $commit 'gone')) {
    $area, $name = $line -split ' ', 2
    Remove-File (Get-Target $area $name)
  }
}

function Assert-Outcome {
  foreach ($step in $Plan) {
    $path = Get-Target $step.Area $step.Name
    $right = $step.What -eq 'remove'
    if (Test-File $path) {
      $right = -not $right -and (Read-Content $path).Equals($step.Content) -and (Test-Rights $path $step.Rights) -eq ''
    }
    if (-not $right) { throw "$path is not as it was put there a moment ago: is another program at work?" }
  }
}

function Complete-Change {   # what is remembered of the change: originals, backup, record
  $commit = Get-StatePath 'commit'
  foreach ($area in $Areas) {
    Remove-Tree (Get-StageFolder $area)
    foreach ($part in @('original', 'base')) {
      $from = Join-Name $commit $part $area
      if (-not (Test-Folder $from)) { continue }
      $to = Get-StatePath $part $area
      New-PrivateFolder $to
      foreach ($file in [IO.Directory]::GetFiles($from)) { Move-Over $file (Join-Name $to ([IO.Path]::GetFileName($file))) }
    }
  }
  $backup = Join-Name $commit 'backup'
  foreach ($stamp in @(Read-Form $commit 'stamp')) {
    if (Test-Folder $backup) { Move-Over $backup (Get-StatePath $stamp) }
  }
  if (Test-File (Join-Name $commit 'spent')) { [IO.File]::Delete((Get-StatePath 'waiting-key.pem')) }
  foreach ($name in @('restart-due', 'installed', 'waiting-key.pem')) {
    $file = Join-Name $commit $name
    if (Test-File $file) { Move-Over $file (Get-StatePath $name) }
  }
  $end = 'done'
  foreach ($used in @(Read-Form $commit 'used')) {
    Remove-Tree (Get-StatePath $used)
    $script:RolledBack = $true
    $end = 'rolled-back'        # a run that finds it does not roll back another change
  }
  if (Test-File (Join-Name $commit 'farewell')) { Remove-Remembered @(Read-Form $commit 'farewell') }
  Move-Over $commit (Get-StatePath $end)
  Remove-Tree (Get-StatePath $end)
}

function Remove-Remembered([string[]]$Folders) {   # uninstalled: nothing of install.ps1 stays, nor folders it made
  foreach ($folder in [IO.Directory]::GetDirectories($State)) {
    if ([IO.Path]::GetFileName($folder) -ne 'commit') { Remove-Tree $folder }
  }
  foreach ($file in [IO.Directory]::GetFiles($State)) {
    if ([IO.Path]::GetFileName($file) -ne 'running') { Remove-File $file }
  }
  foreach ($line in $Folders) { if (-not $MadeFolders.Contains($line)) { $MadeFolders.Add($line) } }
}
