# ---- one user's client ----------------------------------------------------------------------------------

function Assert-OwnProfile {   # elevated, the profile may be another's, and what is made there belongs to the administrator
  $user = [Security.Principal.WindowsIdentity]::GetCurrent()
  if ($user.IsSystem -or @('S-1-5-19', 'S-1-5-20') -contains $user.User.Value) {
    Stop-Install 1 ("-User works on the profile of the current user, and this runs as $($user.Name), which has " +
      'none that anybody prints from. Run it as the user.')
  }
  $principal = New-Object Security.Principal.WindowsPrincipal $user
  if (-not $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { return }
  # User Account Control gives whoever logs in at the screen two tokens, and the full one only when asked;
  # the built-in Administrator has one, unless a policy says otherwise. S-1-5-4 is INTERACTIVE.
  $key = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System'
  $policy = Get-ItemProperty -LiteralPath $key -ErrorAction SilentlyContinue
  $is_on = { param($Name, $Else) if ($null -ne $policy -and $null -ne $policy.PSObject.Properties[$Name]) { $policy.$Name -ne 0 } else { $Else } }
  $is_split = (& $is_on 'EnableLUA' $true) -and @($user.Groups | Where-Object { $_.Value -eq 'S-1-5-4' }).Count -gt 0
  if ($user.User.Value.EndsWith('-500') -and -not (& $is_on 'FilterAdministratorToken' $false)) { $is_split = $false }
  if ($is_split) {
    Stop-Install 1 ("-User works on the profile of the current user, and this was started as an administrator, " +
      "$($user.Name). Start install.cmd -User without 'Run as administrator'.")
  }
}

function Initialize-User {   # the current user's folder takes the place of the computer's
  $script:HostFolder = $ClientFolder
  $script:ClientFolder = $UserFolder
  $script:Areas = @('client')
  # All has the rights of the profile, but for keys and backups: the user must be able to replace those too.
  if (-not $SetsRights) { return }
  Assert-OwnProfile
  $user = [Security.Principal.WindowsIdentity]::GetCurrent()
  $sid = $user.User.Value
  $script:PublicFile = ''
  $script:PublicFolder = ''
  $script:OwnerPart = "O:$sid"
  $script:Owners += $sid
  $script:Trusted += $sid
  $script:PrivateFile += "(A;;FA;;;$sid)"
  $script:PrivateFolder += "(A;OICI;FA;;;$sid)"
  Add-Note @("-User: this is the profile of $($user.Name).")
}

function Add-UserAdvice {   # the vendor names the computer's folder alone as the place of ca-cert.pem
  $folder = Resolve-Target $HostFolder
  $enforced = Join-Name $folder 'ipmssl.cfg'
  if ([IO.File]::Exists($enforced)) {
    Add-Note @("the administrator's $enforced", 'overrides this one, keyword by keyword.')
  }
  if (@($Settings | Where-Object { $_.Value -eq 'ca-cert.pem' }).Count -gt 0) { return }
  $trusted_file = Join-Name $folder 'ca-cert.pem'
  if ([IO.File]::Exists($trusted_file) -and (Read-Content $trusted_file).Equals($Carried['ca-cert.pem'])) {
    Add-Note @("the vendor names $folder alone as the place of ca-cert.pem.", 'The one there is this one.')
    return
  }
  Add-Note @("the vendor names $folder alone as the place of ca-cert.pem, and this",
    'one is not there. Let an administrator run install.cmd without -User, or',
    'declare the keyword for it in pki.toml: [ipm] keywords.ca_file.')
}
