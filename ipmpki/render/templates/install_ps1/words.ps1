# ---- words at the end -----------------------------------------------------------------------------------

function Show-Notes {
  foreach ($note in $Notes) { Write-Host $note }
}

function Show-Words([string]$Heading) {   # $Changes, folder by folder, and what else is to be said
  $advises = -not ($Options.Verify -or $Options.Rollback -or $Options.Uninstall)
  if ($advises) { Add-Advice }
  Write-Host ($DeclaredHost + ': ' + $Heading)
  if ($WrongHost -ne '') {
    Write-Host ''
    Write-Host ('  wrong host: ' + $WrongHost)
  }
  $width = 0
  foreach ($change in $Changes) { if ($change.Name.Length -gt $width) { $width = $change.Name.Length } }
  foreach ($area in $Areas) {
    $here = @($Changes | Where-Object { $_.Area -eq $area })
    if ($here.Count -eq 0) { continue }
    Write-Host ''
    Write-Host ('  ' + (Get-Folder $area))
    foreach ($change in $here) {
      $verb = $change.Verb.PadRight(8) + ' '
      if ($Options.Verify) { $verb = '' }
      $text = '    ' + $verb + $change.Name.PadRight($width) + '  ' + $change.Reason
      Write-Host ($text -replace ' +\z', '')
      foreach ($line in $change.Edited) { Write-Host ('        ' + $line) }
    }
  }
  Write-Host ''
  Show-Notes
  if ($advises -and $LookFor.Count -gt 0) {
    Write-Host 'Look in the sample ipmssl.cfg for these, as pki.toml names no keyword for them:'
    foreach ($missing in $LookFor) { Write-Host ('  ' + $missing.Area + '  ' + $missing.What) }
    Write-Host ''
  }
  elseif ($Notes.Count -gt 0) { Write-Host '' }
}

function Add-Advice {   # what this run could not do by itself
  if ($Options.User) { Add-UserAdvice }
#% if key
  elseif ($Identity -ne '' -and $SetsRights) { Add-KeyAdvice }
#% end
}

#% if key
function Add-KeyAdvice {
  $key = $Identity + '-key.pem'
  if (-not [IO.File]::Exists((Get-Target $Identity $key))) { return }
  if ($Account -eq '') {
    if ($Identity -eq 'server') {
      Add-Note @("only SYSTEM and Administrators may read $key. If the server",
        'runs as another account, run install.cmd -Owner ACCOUNT.')
    }
    else {
      Add-Note @("only SYSTEM and Administrators may read $key, so nobody else on",
        'this host can print. To allow the members of a group: install.cmd -Owner GROUP')
    }
  }
  $shown = @($Settings | Where-Object { $_.Area -eq 'client' -and $_.Keyword -eq 'CertFile' })
  if ($Identity -eq 'server' -and $shown.Count -gt 0) {
    if ($shown[0].Value -eq 'client-cert.pem') { $key = 'client-key.pem' }
    Add-Note @('command-line tools on this host can authenticate only when run by somebody', "who may read $key.")
  }
}
#% end

function Show-UpToDate {
  $outcome = 'already up to date'
  if ($Recovered -ne '') { $outcome = $Recovered }
  elseif ($Options.Verify) { $outcome = "nothing differs from $PSScriptRoot" }
  elseif ($Options.Uninstall -and $Stays) { $outcome = 'there is nothing to remove' }
  elseif ($Options.Uninstall) { $outcome = 'nothing here was put by install.ps1' }
  Write-Host ($DeclaredHost + ': ' + $outcome + '.')
  Show-Notes
  # A change of an earlier run that nobody restarted for: now somebody asks.
  $asked = $Recovered -ne '' -or ($Options.Restart -and -not $Looks)
  if ($asked -and [IO.File]::Exists((Get-StatePath 'restart-due'))) { Show-NextStep }
}

function Show-Differences {   # and what mends them
  Show-Words "differs from $PSScriptRoot"
  $reasons = @($Changes | ForEach-Object { $_.Reason })
  $dates = @($reasons | Where-Object { $_ -eq 'expired' -or $_.StartsWith('not valid yet') })
  if ($WrongHost -ne '') { Write-Host 'Next: bring the folder that was made for this host.' }
  elseif ($AccountFault -ne '') {
    Write-Host 'Next: name the account by install.cmd -Owner, or in pki.toml by server_account.'
  }
  elseif (@($reasons | Where-Object { $_.Contains('put here the key') -or $_.Contains('of this folder') }).Count -gt 0) {
    Write-Host "Next: put the key of the request in place, or make another by install.cmd -NewKey."
  }
  elseif ($dates.Count -gt 0 -and $dates.Count -eq $reasons.Count) {
    if ($dates[0] -eq 'expired') {
      Write-Host "Next: run 'ipmpki build' where pki.toml is, carry the new folder here, and run its install.cmd."
    }
    else { Write-Host "Next: set this computer's clock, or wait." }
  }
  else { Write-Host 'Next: install.cmd -DryRun shows what would mend it, install.cmd does it.' }
}
