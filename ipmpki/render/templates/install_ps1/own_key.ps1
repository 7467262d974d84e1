# ---- a key of this host's own ---------------------------------------------------------------------------
# openssl is asked for the key and the request, as Windows PowerShell can write neither to a file by itself. The
# key comes through a pipe, so that its file is made here, with its rights.

function Get-WaitingKey { return Get-StatePath 'waiting-key.pem' }

function Add-OwnKey {   # one that never left this host: it stands here, or waits for this folder's certificate
  $certificate = "$Identity-cert.pem"
  $key = "$Identity-key.pem"
  $path = Get-Target $Identity $key
  $standing = Get-Standing $Identity $key
  $waiting = Get-WaitingKey
  $stands = $standing -ne ''
  $waits = (Test-File $waiting)
  $wanted = $Carried[$certificate]
  if ($stands -and (Test-Pair $wanted (Read-Content $standing))) {
    if ($waits) {
      Add-Note @("a new key waits in $waiting",
        "for its certificate. Put its request where pki.toml expects it, as $RequestPlace`:",
        "install.cmd -NewKey writes it again. Then run 'ipmpki build'.")
    }
    # Put there by hand, it is left alone while nobody else may read it.
    if ((Find-Recorded $Identity $key) -eq '' -and (Test-Rights $standing (Get-KeyRights)) -eq '') { return }
    Add-File $Identity $key (Read-Content $standing) (Get-KeyRights) '' @()
  }
  elseif ($waits -and (Test-Pair $wanted (Read-Content $waiting))) {
    Add-File $Identity $key (Read-Content $waiting) (Get-KeyRights) 'the new key, made on this host' @()
    $script:Promotes = $true
  }
  elseif ($Options.Verify) {
    $why = 'missing: put here the key of the request'
    if ($stands) { $why = "does not belong to $certificate of this folder" }
    Add-Change $Identity 'find' $key $why
    if ($waits) { Add-Note @("the new key that waits does not belong to it either,", "$waiting.") }
  }
  else {
    $why = "there is no key for $certificate here, neither $path nor one that waits, $waiting."
    if ($stands -and $waits) {
      $why = "$certificate belongs neither to the key in use, $path, nor to the new one that waits, $waiting."
    }
    elseif ($stands) {
      $why = "$certificate does not belong to the key in use, $path, and no new key waits in $waiting."
    }
    elseif ($waits) {
      $why = "$certificate does not belong to the new key that waits, $waiting, and there is no $path."
    }
    Stop-Install 1 ("$why Put the key that its request was made with in place, as $path; or run " +
      "install.cmd -NewKey, put its request where pki.toml expects it, as $RequestPlace, " +
      "run 'ipmpki build' and carry the folder here again.")
  }
}

function Find-Openssl {   # not one that somebody else could have put there
  if (-not $OnWindows) {
    foreach ($folder in "$env:PATH".Split(':')) {
      if ($folder.StartsWith('/') -and [IO.File]::Exists("$folder/openssl")) { return "$folder/openssl" }
    }
  }
  else {
    $folders = @(foreach ($which in @('ProgramFiles', 'ProgramFilesX86')) {
        $base = [Environment]::GetFolderPath($which)
        if (-not $base) { continue }
        foreach ($inside in @('OpenSSL-Win64\bin', 'OpenSSL-Win32\bin', 'OpenSSL\bin', 'Git\mingw64\bin')) { Join-Name $base $inside }
      })
    $folders += @("$env:PATH".Split(';') | Where-Object { $_ -match '\A[A-Za-z]:\\' } | ForEach-Object { $_.TrimEnd('\') })
    $refused = ''
    foreach ($folder in $folders) {
      $path = Join-Name $folder 'openssl.exe'
      if (-not (Test-File $path)) { continue }
      $why = Find-ProgramFault $path
      if ($why -eq '') { return $path }
      $refused = " $why, and so it is not run."
    }
    if ($refused -ne '') { Stop-Install 1 "there is no openssl here that only administrators may change:$refused" }
  }
  Stop-Install 1 ('there is no openssl here, which makes keys and requests. Install it below Program Files, or put ' +
    'its folder on the PATH.')
}

function Find-ProgramFault([string]$Path) {   # who else could have changed it, up to the root of the drive
  if (-not $SetsRights) { return '' }
  $why = Find-Intruder (Get-Sddl $Path) $WritesFolder $Trusted
  $part = $Path
  $harm = $WritesFolder
  while ($why -eq '') {
    $part = [IO.Path]::GetDirectoryName($part)
    if (-not $part) { return '' }
    if ([IO.Path]::GetDirectoryName($part)) { $why = Find-FolderFault $part $harm }
    else { $why = Find-Intruder (Get-Sddl $part) $TakesFolder $Trusted }
    $harm = $TakesFolder
  }
  return "$part $why"
}

function Invoke-Openssl([string]$Program, [string]$Configuration, [string[]]$Words) {
  # Without what the environment would have it load or write.
  return Invoke-Program $Program $Words @{
    OPENSSL_CONF = $Configuration; OPENSSL_MODULES = $null; OPENSSL_ENGINES = $null; RANDFILE = $null
  }
}

function New-Key([string]$Program, [string]$Configuration) {
  $made = Invoke-Openssl $Program $Configuration (@('genpkey', '-algorithm') + $KeyOptions.Split(' '))
  if ($made -notmatch '-----END (EC |RSA )?PRIVATE KEY-----') { Stop-Install 1 'openssl genpkey wrote no key.' }
  return $made
}

function New-Request([string]$Program, [string]$Configuration, [string]$Key) {
  $words = @('req', '-new', '-sha256', '-config', $Configuration, '-key', $Key, '-passin', 'pass:')
  $request = Invoke-Openssl $Program $Configuration $words
  $path = $Configuration + '.csr'
  Write-PrivateFile $path $request
  # A key or a request of which the disk took a half only is found out here.
  $public = Invoke-Openssl $Program $Configuration @('pkey', '-in', $Key, '-pubout', '-passin', 'pass:')
  $asked = Invoke-Openssl $Program $Configuration @('req', '-config', $Configuration, '-in', $path, '-noout', '-pubkey')
  if ($public -eq '' -or -not $public.Equals($asked)) { Stop-Install 1 'the request is not for the key.' }
  return $request
}

function Test-MakesKey {   # where -Force is about the name of the host, a waiting key is not lost by it
  if (-not [IO.File]::Exists((Get-WaitingKey))) { return $true }
  return $Options.Force -and -not $ForcedHost
}

function Find-RequestFolder {   # this folder, or the current one where this cannot be written to
  $current = $ExecutionContext.SessionState.Path.CurrentFileSystemLocation.ProviderPath
  $why = ''
  foreach ($folder in @($PSScriptRoot, $current)) {
    $target = Join-Name $folder ($Role + '.csr')
    $new = $target + '.ipmpki-new'
    if (Test-Folder $target) {
      $why = " $target is a folder."
      continue
    }
    try {
      if (Test-ReadOnly $target) { throw "$target is read-only." }
      [IO.File]::Delete($new)
      [IO.File]::Open($new, 'CreateNew', 'Write', 'None').Dispose()
      [IO.File]::Delete($new)
      return $folder
    }
    catch { $why = ' ' + (Get-Cause $_) }
  }
  Stop-Install 1 ("there is no place for the request: neither $PSScriptRoot nor the current folder can be " +
    "written to.$why Go to a folder that can, and call install.cmd from there.")
}

function Invoke-NewKey {
  $program = Find-Openssl
  $makes = Test-MakesKey
  $folder = Find-RequestFolder
  if ($Looks) {
    Show-KeyToCome $makes $program $folder
    return
  }
  Enter-Change
  $makes = Test-MakesKey      # once more, as before the lock another run may have made one
  $target = Join-Name $folder ($Role + '.csr')
  $next = Get-StatePath 'prepare'
  $configuration = Join-Name $next 'request.cnf'
  Write-PrivateFile $configuration $Carried['request.cnf']
  $key = Get-WaitingKey
  if ($makes) {
    $key = Join-Name $next 'waiting-key.pem'
    Write-PrivateFile $key (New-Key $program $configuration)
  }
  $request = New-Request $program $configuration $key
  if ($makes) {
    $installed = @(Read-Record)
    $others = @($installed | Where-Object { -not $_.StartsWith('folder ') })
    $lines = $others + @(Get-FolderLines $installed)
    if ($lines.Count -gt 0) { Write-Lines (Join-Name $next 'installed') $lines }
    Move-Over $next (Get-StatePath 'commit')      # this rename decides
    $script:Changed = $true
    Complete-Change
  }
  try {
    [IO.File]::Delete($target + '.ipmpki-new')
    Write-NewFile ($target + '.ipmpki-new') $request ''
    Move-Over ($target + '.ipmpki-new') $target
  }
  catch { Stop-Install 1 "a key waits, but $target cannot be written. $(Get-Cause $_)" }
  Show-NewKey $makes $target $program
}

function Show-KeyToCome([bool]$Makes, [string]$Program, [string]$Folder) {
  $what = 'the key that was made before still waits in'
  if ($Makes) { $what = "this would make a new key ($KeyType), which waits for its certificate in" }
  Show-Notes
  Write-Line "${DeclaredHost}: $what"
  Write-Line ('  ' + (Get-WaitingKey))
  if ($Makes -and [IO.File]::Exists((Get-WaitingKey))) {
    Write-Line '  in place of the one that waits there, whose request would be void'
  }
  Write-Line "and would write its request, $Role.csr, into"
  Write-Line "  $Folder"
  Write-Line "By $Program. Nothing was changed."
  Write-Line 'Next: run it without -DryRun.'
}

function Show-NewKey([bool]$Makes, [string]$Request, [string]$Program) {
  $what = 'the key that was made before still waits; its request was written again'
  if ($Makes) { $what = 'a new key was made, and its request written' }
  elseif ($Options.Force -and $ForcedHost) {
    Add-Note '-Force was for the name of the host. To make another key, remove the one that waits.'
  }
  Write-Line "${DeclaredHost}: $what"
  Write-Line ''
  Write-Line ('  key      ' + (Get-WaitingKey))
  Write-Line "  request  $Request"
  Write-Line "  made by  $Program"
  Write-Line ''
  Write-Line 'The key waits there until its certificate is installed; it never leaves this host. Until then'
  Write-Line 'all that is in use here stays as it is.'
  Show-Notes
  Write-Line ('Next: carry ' + $Role + ".csr to pki.toml, put it there as $RequestPlace, run")
  Write-Line "      'ipmpki build', carry the new folder here, and run install.cmd."
}

function Stop-Waiting {
  $waiting = Get-WaitingKey
  if (Test-File $waiting) {
    Stop-Install 1 ('there is nothing to install yet: the certificate of this host is awaited. A new key ' +
      "waits for it, $waiting. Put its request where pki.toml expects it, as $RequestPlace, and " +
      "run 'ipmpki build'; install.cmd -NewKey writes the request again.")
  }
  Stop-Install 1 ('there is nothing to install yet: this host makes its key itself, and its certificate is ' +
    'awaited. install.cmd -NewKey makes a key and the request; README.txt tells the rest.')
}
