# ---- this host, and where things stand on it ------------------------------------------------------------

function Assert-Administrator {
    $user = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object System.Security.Principal.WindowsPrincipal $user
    if ($principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)) { return }
    Stop-Install 1 'only an administrator can install here: run it as one, or with -User or -Root.'
}

function Get-ActualName {   # this computer's names: NetBIOS cuts at 15 characters, DNS does not
    $network = [System.Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties()
    $full = $network.HostName + '.' + $network.DomainName
    foreach ($name in @($env:COMPUTERNAME, [System.Net.Dns]::GetHostName(), $network.HostName, $full)) {
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
        foreach ($declared in $script:DeclaredNames) {
            if (Test-SameHost $actual $declared) { return }
        }
    }
    $other = 'this is ' + [System.Net.Dns]::GetHostName() + ', and the folder was made for ' + $script:DeclaredHost
    if ($script:Options.Force -or $script:Options.Root -ne '') {
        Add-Note "$other."
        $script:ForcedHost = $script:Options.Root -eq ''
    }
    elseif ($script:Options.Verify) { $script:WrongHost = $other }
    else { Stop-Install 3 "$other. Nothing was changed; -Force installs nevertheless." }
}

function Expand-Variables([string]$Path) {   # as this computer calls it; elsewhere as Windows usually does
    $common = 'C:\ProgramData'
    $windows = 'C:\Windows'
    $roaming = '%APPDATA%'
    if ($script:OnWindows) {
        $common = [System.Environment]::GetFolderPath('CommonApplicationData')
        $windows = [System.Environment]::GetFolderPath('Windows')
        $roaming = [System.Environment]::GetFolderPath('ApplicationData')
    }
    return $Path.Replace('%ProgramData%', $common).Replace('%windir%', $windows).Replace('%APPDATA%', $roaming)
}

function Resolve-Target([string]$Path) {   # below -Root: DIR\ProgramData and DIR\Windows, wherever this is
    if ($script:Options.Root -eq '') { return Expand-Variables $Path }
    $inside = $Path.Replace('%ProgramData%', 'ProgramData').Replace('%windir%', 'Windows')
    $inside = $inside.Replace('%APPDATA%', 'AppData\Roaming')
    $inside = $inside.Replace('\', [string][System.IO.Path]::DirectorySeparatorChar)
    return [System.IO.Path]::Combine($script:Options.Root, $inside)
}

function Get-Folder([string]$Area) {
    if ($Area -eq 'server') { return Resolve-Target $script:ServerFolder }
    return Resolve-Target $script:ClientFolder
}

function Get-Target([string]$Area, [string]$Name) {
    return [System.IO.Path]::Combine((Get-Folder $Area), $Name)
}

function Get-StatePath([string]$Name) { return [System.IO.Path]::Combine($script:State, $Name) }

function Get-WaitingKey { return Get-StatePath 'waiting-key.pem' }

function Get-InstallFolder {   # InfoPrint Manager's own, which is not known beforehand: all that might be it
    if ($script:Options.Root -ne '') {
        Resolve-Target 'Program Files\RICOH\InfoPrint Manager'
        Resolve-Target 'Program Files (x86)\RICOH\InfoPrint Manager'
        return
    }
    $uninstall = 'Microsoft\Windows\CurrentVersion\Uninstall'
    foreach ($branch in @('HKLM:\SOFTWARE\', 'HKLM:\SOFTWARE\WOW6432Node\')) {
        foreach ($key in @(Get-ChildItem -Path ($branch + $uninstall) -ErrorAction SilentlyContinue)) {
            $folder = [string]$key.GetValue('InstallLocation')
            if ([string]$key.GetValue('DisplayName') -like '*InfoPrint*' -and $folder -ne '') { $folder.Trim('"') }
        }
    }
    foreach ($folder in @($env:ProgramFiles, ${env:ProgramFiles(x86)})) {
        if ($null -ne $folder) { [System.IO.Path]::Combine($folder, 'RICOH\InfoPrint Manager') }
    }
}
