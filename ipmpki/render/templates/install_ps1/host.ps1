# ---- this host ------------------------------------------------------------------------------------------

function Test-Administrator($User) {   # whether its token is one of an administrator's, and not the lesser twin
  $principal = New-Object Security.Principal.WindowsPrincipal $User
  return $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

function Get-CurrentUser { return [Security.Principal.WindowsIdentity]::GetCurrent() }

function Assert-Administrator {
  if (Test-Administrator (Get-CurrentUser)) { return }
#% if user
  $others = '-User or -Root'
#% end
#% if not user
  $others = '-Root'
#% end
  Stop-Install 1 ('only an administrator can install here. Right-click install.cmd and choose "Run as ' +
    "administrator`", or say $others.")
}

function Get-ActualName {   # this computer's names: NetBIOS cuts at 15 characters, DNS does not
  $network = [Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties()
  $full = $network.HostName + '.' + $network.DomainName
  foreach ($name in @($env:COMPUTERNAME, [Net.Dns]::GetHostName(), $network.HostName, $full)) {
    $plain = ([string]$name).TrimEnd('.')
    if ($plain -ne '') { $plain }
  }
}

function Test-SameHost([string]$Actual, [string]$Declared) {   # a name without domain stands for any domain
  if ($Actual -eq $Declared) { return $true }
  if ($Actual.Contains('.') -and $Declared.Contains('.')) { return $false }
  return $Actual.Split('.')[0] -eq $Declared.Split('.')[0]
}

function Assert-ThisHost {
  foreach ($actual in @(Get-ActualName)) {
    if ($DeclaredNames | Where-Object { Test-SameHost $actual $_ }) { return }
  }
  $other = 'this is ' + [Net.Dns]::GetHostName() + ', and the folder was made for ' + $DeclaredHost
  if ($Options.Force -or $Options.Root -ne '') {
    Add-Note "$other."
    $script:ForcedHost = $Options.Root -eq ''
  }
  elseif ($Options.Verify) { $script:WrongHost = $other }
  else { Stop-Install 3 "$other. Nothing was changed; -Force installs nevertheless." }
}

# ---- where things stand ---------------------------------------------------------------------------------

function Expand-Variables([string]$Path) {   # as this computer calls it; elsewhere as Windows usually does
  $common = 'C:\ProgramData'
  $windows = 'C:\Windows'
  $roaming = '%APPDATA%'
  if ($OnWindows) {   # not by the environment, which belongs to whoever started this
    $common = [Environment]::GetFolderPath('CommonApplicationData')
    $windows = [Environment]::GetFolderPath('Windows')
    $roaming = [Environment]::GetFolderPath('ApplicationData')
  }
  return $Path.Replace('%ProgramData%', $common).Replace('%windir%', $windows).Replace('%APPDATA%', $roaming)
}

function Resolve-Target([string]$Path) {   # below -Root: DIR\ProgramData and DIR\Windows, wherever this is
  if ($Options.Root -eq '') { return Expand-Variables $Path }
  $inside = $Path.Replace('%ProgramData%', 'ProgramData').Replace('%windir%', 'Windows')
  $inside = $inside.Replace('%APPDATA%', 'AppData\Roaming')
  return Join-Name $Options.Root $inside.Replace('\', $Separator)
}

function Get-Place([string]$Area) {   # as the vendor writes it
  if ($Area -eq 'server') { return $ServerFolder }
  return $ClientFolder
}

function Get-Folder([string]$Area) { return Resolve-Target (Get-Place $Area) }

function Get-Way([string]$Area) {   # the folders that lead to it, the outermost first, and itself
  $base = $Options.Root.TrimEnd('\', '/')
  if ($base -eq '') { $base = Expand-Variables (Get-Place $Area).Split('\')[0] }
  $way = @()
  $folder = Get-Folder $Area
  while ($folder.Length -gt $base.Length) {
    $way = @($folder) + $way
    $folder = [IO.Path]::GetDirectoryName($folder)
  }
  if ($Options.Root -eq '') { $way = @($base) + $way }
  return $way
}

function Get-Target([string]$Area, [string]$Name) { return Join-Name (Get-Folder $Area) $Name }

function Get-StatePath { return [IO.Path]::Combine([string[]](@($State) + $args)) }

function Get-InstallFolder {   # InfoPrint Manager's own, which is not known beforehand: all that might be it
  if ($Options.Root -ne '') {
    Resolve-Target 'Program Files\RICOH\InfoPrint Manager'
    Resolve-Target 'Program Files (x86)\RICOH\InfoPrint Manager'
    return
  }
  foreach ($branch in @('HKLM:\SOFTWARE\', 'HKLM:\SOFTWARE\WOW6432Node\')) {
    $programs = $branch + 'Microsoft\Windows\CurrentVersion\Uninstall'
    foreach ($key in @(Get-ChildItem -Path $programs -ErrorAction SilentlyContinue)) {
      $folder = [string]$key.GetValue('InstallLocation')
      if ([string]$key.GetValue('DisplayName') -like '*InfoPrint*' -and $folder -ne '') { $folder.Trim('"') }
    }
  }
  foreach ($which in @('ProgramFiles', 'ProgramFilesX86')) {
    $folder = [Environment]::GetFolderPath($which)
    if ($folder) { Join-Name $folder 'RICOH\InfoPrint Manager' }
  }
}

function Find-Sample([string]$Area) {
  $sample = $ClientSample
  if ($Area -eq 'server') { $sample = $ServerSample }
  $inside = $sample.Replace('<install dir>\', '').Replace('\', $Separator)
  foreach ($folder in @(Get-InstallFolder)) {
    $path = Join-Name $folder $inside
    if (Test-File $path) { return $path }
  }
  return ''
}
