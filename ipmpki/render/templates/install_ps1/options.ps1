# ---- options --------------------------------------------------------------------------------------------
# Read by hand: PowerShell's own binding answers a mistyped name with exit status 1, which here means 'failed'.

function Stop-Usage([string]$Message) {
  Stop-Install 2 ($Message + [Environment]::NewLine + "Try 'install.cmd -Help'.")
}

function Assert-WholeLine {   # PowerShell's -File drops a last word that ends in a colon, as in '-Verify:'
  $words = @([Environment]::GetCommandLineArgs())
  $last = $words[$words.Count - 1]
  if ($last -notmatch '\A[-/][A-Za-z]+:\z') { return }
  $own = [IO.Path]::GetFileName($PSCommandPath)
  if ($words | Where-Object { $_.EndsWith($own, [StringComparison]::OrdinalIgnoreCase) }) {
    Stop-Usage "'$last' needs a value behind the colon, or no colon"
  }
}

function Read-Switch([string]$Name, $Value) {
  if ([string]$Value -match '\A\$?(true|false)\z') { return $Matches[1] -eq 'true' }
  Stop-Usage "-$Name is on or off: '$Value' is neither `$true nor `$false"
}

function Read-Options([object[]]$Arguments) {
  Assert-WholeLine
  $index = 0
  while ($index -lt $Arguments.Count) {
    $word = [string]$Arguments[$index]
    $index++
    if ($word -eq '/?') { $word = '-Help' }
    # '-Root:DIR' arrives as '-Root:' and 'DIR', or as '-Root' and 'DIR'; '-Force:$true' likewise.
    $name = $word.Substring([Math]::Min(1, $word.Length)).TrimEnd(':')
    if (-not $word.StartsWith('-') -or -not $Options.ContainsKey($name)) { Stop-Usage "unknown option '$word'" }
    $value = $null
    if ($index -lt $Arguments.Count) { $value = $Arguments[$index] }
    elseif ($word.EndsWith(':')) { Stop-Usage "'$word' needs a value behind the colon, or no colon" }
    if ($Options[$name] -is [string]) {
      if ([string]$value -eq '') { Stop-Usage "-$name needs a value" }
      $Options[$name] = [string]$value
      $index++
    }
    elseif ($word.EndsWith(':') -or $value -is [bool]) {
      $Options[$name] = Read-Switch $name $value
      $index++
    }
    else { $Options[$name] = $true }
  }
}

function Resolve-Root([string]$Path) {
  # .NET knows nothing of PowerShell's current folder, so the path is made whole here.
  $provider = $null
  $drive = $null
  try {
    $whole = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath(
      $Path, [ref]$provider, [ref]$drive)
  }
  catch { Stop-Usage "-Root ${Path}: $(Get-Cause $_)" }
  if ($provider.Name -ne 'FileSystem') { Stop-Usage "-Root $Path is no folder of files" }
  return $whole
}

function Test-Options {
  $chosen = $Options
  $modes = @('Verify', 'Rollback', 'Uninstall', 'NewKey' | Where-Object { $chosen[$_] })
  if ($modes.Count -gt 1) { Stop-Usage "-$($modes[0]) and -$($modes[1]) exclude each other" }
  if ($chosen.Verify -and ($chosen.DryRun -or $chosen.Restart -or $chosen.Repair)) {
    Stop-Usage '-Verify changes nothing: it stands alone'
  }
#% if own_key
  if ($chosen.NewKey -and $chosen.Restart) { Stop-Usage '-NewKey changes nothing in use: not with -Restart' }
#% end
#% if not own_key
  if ($chosen.NewKey) {
    Stop-Usage ('-NewKey: the key of this host is not its own. Declare csr = "csr/NAME.csr" for it ' +
      "in pki.toml, run 'ipmpki build', and carry the folder here again.")
  }
#% end
#% if user
  if ($chosen.User -and $chosen.Owner -ne '') {
    Stop-Usage "-User and -Owner exclude each other: the key is the current user's"
  }
#% end
#% if not user
  if ($chosen.User) { Stop-Usage '-User is for a client: this folder was made for a server' }
#% end
#% if key
  if ($chosen.Owner.StartsWith('-')) { Stop-Usage '-Owner wants the name of an account' }
  if ($chosen.Owner -ne '' -and ($chosen.Rollback -or $chosen.Uninstall)) {
    Stop-Usage "-$($modes[0]) gives no key away: not with -Owner"
  }
#% end
#% if not key
  if ($chosen.Owner -ne '') { Stop-Usage '-Owner: there is no key in this folder that an account could read' }
#% end
#% if not restart
  if ($chosen.Restart) { Stop-Usage '-Restart: pki.toml declares no restart_command for this host' }
#% end
  if ($chosen.Root -ne '') { $chosen.Root = Resolve-Root $chosen.Root }
  elseif (-not $OnWindows) { Stop-Usage 'this is not Windows: -Root DIR is needed' }
  if ($chosen.Repair -and $chosen.Root -ne '') { Stop-Usage '-Repair is about NTFS rights, which -Root does without' }
}
