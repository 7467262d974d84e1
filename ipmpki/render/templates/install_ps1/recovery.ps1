# ---- after an interruption ------------------------------------------------------------------------------

function Test-State([string]$Name) { return $State -ne '' -and (Test-Folder (Get-StatePath $Name)) }

function Test-Interrupted {
  foreach ($name in @('prepare', 'commit', 'undo', 'done', 'rolled-back')) { if (Test-State $name) { return $true } }
  return [bool]($Areas | Where-Object { Test-Folder (Get-StageFolder $_) })
}

function Restore-Old {   # what 'undo' has a backup of; may be run again from any point
  $backup = Get-StatePath 'undo' 'backup'
  foreach ($line in @(Read-Form $backup 'contents')) {
    $what, $area, $name = $line -split ' ', 3
    $path = Get-Target $area $name
    if ($what -eq 'lacked') {
      Remove-File $path
      continue
    }
    $kept = Join-Name $backup $area $name
    $content = Read-Content $kept
    $rights = Read-KeptRights $kept
    if ((Test-File $path) -and (Read-Content $path).Equals($content) -and (Test-Rights $path $rights) -eq '') { continue }
    $new = Join-Name (Get-StageFolder $area) "$name.old"
    New-PrivateFolder (Get-StageFolder $area)
    [IO.File]::Delete($new)
    Write-NewFile $new $content $rights
    Move-InPlaceOf $new $path
  }
  # One rename ends it; what is left then, the next run throws away.
  Move-Over (Get-StatePath 'undo') (Get-StatePath 'done')
  Clear-Preparation
}

function Repair-Interrupted {
  if (Test-State 'commit') {
    Write-Line 'An earlier run was interrupted when all was prepared: completing it.'
    $script:Changed = $true
    Move-InPlace
    Complete-Change
    $script:Recovered = 'completed what an earlier run had prepared'
  }
  elseif (Test-State 'undo') {
    Write-Line 'An earlier run failed and was interrupted when it put the old files back: they are put back.'
    $script:Changed = $true
    Restore-Old
    $script:Recovered = 'put back what an earlier run had replaced'
  }
  elseif (Test-State 'rolled-back') {
    $script:RolledBack = $true
    $script:Recovered = 'an earlier run had put back what stood here before, and was interrupted at its end'
  }
  elseif ((Test-State 'prepare') -or (Test-Interrupted)) {
    Write-Line 'An earlier run was interrupted before it changed anything: its preparations are thrown away.'
  }
  Clear-Preparation
}

function Read-Pending {   # for -DryRun and -Verify: how an interrupted change will be left by the run that completes it
  $Pending.Clear()
  if (Test-State 'commit') {
    $commit = Get-StatePath 'commit'
    foreach ($line in @(Read-Form $commit 'put')) {
      $area, $name = $line -split ' ', 2
      $Pending[$line] = Join-Name (Get-StageFolder $area) $name
      if (-not (Test-File $Pending[$line])) { $Pending[$line] = Get-Target $area $name }
    }
    foreach ($line in @(Read-Form $commit 'gone')) { $Pending[$line] = '' }
    $script:RolledBack = Test-File (Join-Name $commit 'used')
  }
  elseif (Test-State 'undo') {
    $backup = Get-StatePath 'undo' 'backup'
    foreach ($line in @(Read-Form $backup 'contents')) {
      $what, $area, $name = $line -split ' ', 3
      $Pending["$area $name"] = ''
      if ($what -eq 'had') { $Pending["$area $name"] = Join-Name $backup $area $name }
    }
  }
  elseif (Test-State 'rolled-back') { $script:RolledBack = $true }
}

function Complete-Interrupted {   # by Ctrl-C, in the run itself: what it has come to, in words, and the exit status
  if (Test-State 'commit') {
    Move-InPlace
    Complete-Change
    Write-Failure 'interrupted when all was prepared; the change was completed.'
    return 5
  }
  if (Test-State 'undo') {
    Restore-Old
    Write-Failure 'interrupted; what had stood here was put back.'
    return 1
  }
  if ($Changed) {
    Write-Failure 'interrupted after the change, which stands; -Verify says how this host is now.'
    return 5
  }
  Write-Failure 'interrupted. Nothing was changed.'
  return 1
}
