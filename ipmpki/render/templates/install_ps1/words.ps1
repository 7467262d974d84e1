# ---- words at the end -----------------------------------------------------------------------------------

function Show-Notes {
  foreach ($note in $Notes) { Write-Line $note }
}

function Show-Words([string]$Heading) {   # $Changes, folder by folder, and what else is to be said
  $advises = -not ($Options.Verify -or $Options.Rollback -or $Options.Uninstall)
  if ($advises) { Add-Advice }
  Write-Line "${DeclaredHost}: $Heading"
  if ($WrongHost -ne '') {
    Write-Line ''
    Write-Line "  wrong host: $WrongHost"
  }
  $width = 0
  foreach ($change in $Changes) { $width = [Math]::Max($width, (Get-Shown $change.Name).Length) }
  foreach ($area in $Areas) {
    $here = @($Changes | Where-Object { $_.Area -eq $area })
    if ($here.Count -eq 0) { continue }
    Write-Line ''
    Write-Line ('  ' + (Get-Folder $area))
    foreach ($change in $here) {
      $verb = $change.Verb.PadRight(8) + ' '
      if ($Options.Verify) { $verb = '' }
      Write-Line ('    ' + $verb + $change.Name.PadRight($width) + '  ' + $change.Reason).TrimEnd(' ')
      foreach ($line in $change.Edited) { Write-Line ('        ' + $line) }
    }
  }
  Write-Line ''
  Show-Notes
  if ($advises -and $LookFor.Count -gt 0) {
    Write-Line 'Look in the sample ipmssl.cfg for these, as pki.toml names no keyword for them:'
    foreach ($missing in $LookFor) { Write-Line ('  ' + $missing.Area + '  ' + $missing.What) }
    Write-Line ''
  }
  elseif ($Notes.Count -gt 0) { Write-Line '' }
}

function Add-Advice {   # what this run could not do by itself
  if ($Options.User) { Add-UserAdvice }
#% if key
  elseif ($Identity -ne '' -and $SetsRights) { Add-KeyAdvice }
#% end
}

#% if key
function Add-KeyAdvice {
  $key = "$Identity-key.pem"
  if (-not (Test-File (Get-Target $Identity $key))) { return }
  if ($Account -eq '' -and $Identity -eq 'client') {
    Add-Note @("only SYSTEM and Administrators may read $key, so nobody else on",
      'this host can print. To allow the members of a group: install.cmd -Owner GROUP')
  }
#% end
#% if server
  if ($Account -eq '') {
    Add-Note @("only SYSTEM and Administrators may read $key. If the server",
      'runs as another account, run install.cmd -Owner ACCOUNT.')
  }
  $shown = @($Settings | Where-Object { $_.Area -eq 'client' -and $_.Keyword -eq 'CertFile' })
  if ($shown.Count -gt 0) {
    if ($shown[0].Value -eq 'client-cert.pem') { $key = 'client-key.pem' }
    Add-Note @('command-line tools on this host can authenticate only when run by somebody', "who may read $key.")
  }
#% end
#% if key
}

#% end
function Show-UpToDate {
  $outcome = 'already up to date'
  if ($Recovered -ne '') { $outcome = $Recovered }
  elseif ($Options.Verify) { $outcome = "nothing differs from $PSScriptRoot" }
  elseif ($Options.Uninstall -and $Stays) { $outcome = 'there is nothing to remove' }
  elseif ($Options.Uninstall) { $outcome = 'nothing here was put by install.ps1' }
  Write-Line "${DeclaredHost}: $outcome."
  Show-Notes
  # A change of an earlier run that nobody restarted for: now somebody asks.
  $asked = $Recovered -ne '' -or ($Options.Restart -and -not $Looks)
  if ($asked -and (Test-File (Get-StatePath 'restart-due'))) { Show-NextStep }
}

function Show-Differences {
  Show-Words "differs from $PSScriptRoot"
  $reasons = @($Changes | ForEach-Object { $_.Reason })
  $next = 'install.cmd -DryRun shows what would mend it, install.cmd does it.'
  if ($WrongHost -ne '') { $next = 'bring the folder that was made for this host.' }
#% if key
  elseif ($AccountFault -ne '') { $next = 'name the account by install.cmd -Owner, or in pki.toml by server_account.' }
#% end
#% if own_key
  elseif ($reasons | Where-Object { $_.Contains('put here the key') -or $_.Contains('of this folder') }) {
    $next = 'put the key of the request in place, or make another by install.cmd -NewKey.'
  }
#% end
  elseif ($reasons -match '\Ais a (file|link)') { $next = 'move it away, or put a folder in its place.' }
  elseif (-not ($reasons | Where-Object { $_ -ne 'expired' -and -not $_.StartsWith('not valid yet') })) {
    $next = "set this computer's clock, or wait."
    if ($reasons -contains 'expired') {
      $next = "run 'ipmpki build' where pki.toml is, carry the new folder here, and run its install.cmd."
    }
  }
  Write-Line "Next: $next"
}
