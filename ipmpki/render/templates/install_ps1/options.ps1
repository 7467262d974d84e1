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
  if (@($words | Where-Object { $_.EndsWith($own, [StringComparison]::OrdinalIgnoreCase) }).Count -gt 0) {
    Stop-Usage "'$last' needs a value behind the colon, or no colon"
  }
}

function Read-Switch([string]$Name, $Value) {
  if ([string]$Value -match '\A\$?(true|false)\z') { return $Matches[1] -eq 'true' }
  Stop-Usage "-$Name is on or off: '$Value' is neither `$true nor `$false"
}

function Read-Options([object[]]$Arguments) {
  Assert-WholeLine
  $switches = @($Options.Keys | Where-Object { $Options[$_] -is [bool] })
  $index = 0
  while ($index -lt $Arguments.Count) {
    $word = [string]$Arguments[$index]
    $index++
    if ($word -eq '/?') { $word = '-Help' }
    # '-Root:DIR' arrives as '-Root:' and 'DIR', or as '-Root' and 'DIR'; '-Force:$true' likewise.
    $with_colon = $word.EndsWith(':')
    $name = $word.TrimEnd(':')
    $known = @($switches | Where-Object { ('-' + $_) -eq $name })
    $has_value = $index -lt $Arguments.Count
    if ($with_colon -and -not $has_value) { Stop-Usage "'$word' needs a value behind the colon, or no colon" }
    if ($known.Count -eq 1) {
      $Options[$known[0]] = $true
      if ($with_colon -or ($has_value -and $Arguments[$index] -is [bool])) {
        $Options[$known[0]] = Read-Switch $known[0] $Arguments[$index]
        $index++
      }
    }
    elseif ($name -eq '-Root' -or $name -eq '-Owner') {
      $value = ''
      if ($has_value) { $value = [string]$Arguments[$index] }
      if ($value -eq '') { Stop-Usage "$name needs a value" }
      $Options[$name.Substring(1)] = $value
      $index++
    }
    else { Stop-Usage "unknown option '$word'" }
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
  catch { Stop-Usage "-Root ${Path}: $($_.Exception.GetBaseException().Message)" }
  if ($provider.Name -ne 'FileSystem') { Stop-Usage "-Root $Path is no folder of files" }
  return $whole
}

function Test-Options {
  $chosen = $Options
  $modes = @('Verify', 'Rollback', 'Uninstall', 'NewKey' | Where-Object { $chosen[$_] })
  if ($modes.Count -gt 1) { Stop-Usage ('-' + $modes[0] + ' and -' + $modes[1] + ' exclude each other') }
  if ($chosen.Verify -and ($chosen.DryRun -or $chosen.Restart -or $chosen.Repair)) {
    Stop-Usage '-Verify changes nothing: it stands alone'
  }
  if ($chosen.NewKey) {
    if ($chosen.Restart) { Stop-Usage '-NewKey changes nothing in use: not with -Restart' }
    if ($KeyType -eq '') {
      Stop-Usage ('-NewKey: the key of this host is not its own. Declare csr = "csr/NAME.csr" for it ' +
        "in pki.toml, run 'ipmpki build', and carry the folder here again.")
    }
  }
  if ($chosen.User) {
    if ($Role -ne 'client') { Stop-Usage '-User is for a client: this folder was made for a server' }
    if ($chosen.Owner -ne '') { Stop-Usage "-User and -Owner exclude each other: the key is the current user's" }
  }
  if ($chosen.Owner.StartsWith('-')) { Stop-Usage '-Owner wants the name of an account' }
  if ($chosen.Owner -ne '' -and ($chosen.Rollback -or $chosen.Uninstall)) {
    Stop-Usage ('-' + $modes[0] + ' gives no key away: not with -Owner')
  }
  if ($chosen.Restart -and $RestartCommand -eq '') {
    Stop-Usage '-Restart: pki.toml declares no restart_command for this host'
  }
  if ($chosen.Root -ne '') { $chosen.Root = Resolve-Root $chosen.Root }
  elseif (-not $OnWindows) { Stop-Usage 'this is not Windows: -Root DIR is needed' }
  if ($chosen.Repair -and $chosen.Root -ne '') { Stop-Usage '-Repair is about NTFS rights, which -Root does without' }
}
