# ---- one user's client ----------------------------------------------------------------------------------

function Test-Policy($Policy, [string]$Name, [bool]$Else) {   # whether it is on; Else where it is not set
  if ($null -eq $Policy -or $null -eq $Policy.PSObject.Properties[$Name]) { return $Else }
  return $Policy.$Name -ne 0
}

function Assert-OwnProfile($User) {   # elevated, the profile may be another's, and what is made there an administrator's
  if ($User.IsSystem -or @('S-1-5-19', 'S-1-5-20') -contains $User.User.Value) {
    Stop-Install 1 ("-User works on the profile of the current user, and this runs as $($User.Name), which has " +
      'none that anybody prints from. Run it as the user.')
  }
  if (-not (Test-Administrator $User)) { return }
  # User Account Control gives whoever logs in at the screen two tokens, and the full one only when asked;
  # the built-in Administrator has one, unless a policy says otherwise. S-1-5-4 is INTERACTIVE.
  $key = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System'
  $policy = Get-ItemProperty -LiteralPath $key -ErrorAction SilentlyContinue
  if (-not (Test-Policy $policy 'EnableLUA' $true) -or @($User.Groups | ForEach-Object { $_.Value }) -notcontains 'S-1-5-4') { return }
  if ($User.User.Value.EndsWith('-500') -and -not (Test-Policy $policy 'FilterAdministratorToken' $false)) { return }
  Stop-Install 1 ("-User works on the profile of the current user, and this was started as an administrator, " +
    "$($User.Name). Start install.cmd -User without 'Run as administrator'.")
}

function Initialize-User {   # the current user's folder takes the place of the computer's
  $script:HostFolder = $ClientFolder
  $script:ClientFolder = $UserFolder
  $script:Areas = @('client')
  # All has the rights of the profile, but for keys and backups: the user must be able to replace those too.
  if (-not $SetsRights) { return }
  $user = Get-CurrentUser
  Assert-OwnProfile $user
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
  if (Test-File $enforced) {
    Add-Note @("the administrator's $enforced", 'overrides this one, keyword by keyword.')
  }
  if ($Settings | Where-Object { $_.Value -eq 'ca-cert.pem' }) { return }
  $trusted_file = Join-Name $folder 'ca-cert.pem'
  if ((Test-File $trusted_file) -and (Read-Content $trusted_file).Equals($Carried['ca-cert.pem'])) {
    Add-Note @("the vendor names $folder alone as the place of ca-cert.pem.", 'The one there is this one.')
    return
  }
  Add-Note @("the vendor names $folder alone as the place of ca-cert.pem, and this",
    'one is not there. Let an administrator run install.cmd without -User, or',
    'declare the keyword for it in pki.toml: [ipm] keywords.ca_file.')
}
