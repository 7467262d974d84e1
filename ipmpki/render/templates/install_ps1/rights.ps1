# ---- owners and modes -----------------------------------------------------------------------------------
# As SDDL, which names accounts by SID and is the same in every language of Windows. D:P: nothing is inherited.
# SY is SYSTEM (S-1-5-18), BA Administrators (S-1-5-32-544), BU Users (S-1-5-32-545); FA is everything, FR
# reading. Empty where rights are not set: they are inherited then.

$PrivateFile = 'D:P(A;;FA;;;SY)(A;;FA;;;BA)'
$PublicFile = 'D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;BU)'
$PrivateFolder = 'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)'
$PublicFolder = 'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)'     # reading and walking through

function Set-Rights([string]$Path, [string]$Rights) {   # of a file or a folder
    if (-not $script:SetsRights -or $Rights -eq '') { return }
    if ([System.IO.Directory]::Exists($Path)) {
        $item = New-Object System.IO.DirectoryInfo $Path
        $security = New-Object System.Security.AccessControl.DirectorySecurity
    }
    else {
        $item = New-Object System.IO.FileInfo $Path
        $security = New-Object System.Security.AccessControl.FileSecurity
    }
    $security.SetSecurityDescriptorSddlForm($Rights, 'Access')
    # .NET moved this method between the two PowerShells.
    if ($PSVersionTable.PSVersion.Major -lt 6) { $item.SetAccessControl($security) }
    else { [System.IO.FileSystemAclExtensions]::SetAccessControl($item, $security) }
}

function Read-FileSecurity([string]$Path) {
    return New-Object System.Security.AccessControl.FileSecurity -ArgumentList $Path, 'Access'
}

function Read-Rights([string]$Path) {   # of a file, as SDDL
    if (-not $script:SetsRights) { return '' }
    return (Read-FileSecurity $Path).GetSecurityDescriptorSddlForm('Access')
}

function ConvertTo-RightsList($Security) {   # one comparable line, whatever the order of the entries
    $rules = $Security.GetAccessRules($true, $true, [System.Security.Principal.SecurityIdentifier])
    $lines = foreach ($rule in $rules) {
        $rule.IdentityReference.Value + ' ' + [int]$rule.FileSystemRights + ' ' + $rule.AccessControlType
    }
    return [string]$Security.AreAccessRulesProtected + ' ' + (@($lines | Sort-Object) -join ', ')
}

function Test-Rights([string]$Path, [string]$Rights) {   # whether the file has these
    # Rights that are not set, or that were taken over with what they inherit, are not compared.
    if (-not $script:SetsRights -or -not $Rights.StartsWith('D:P')) { return $true }
    $wanted = New-Object System.Security.AccessControl.FileSecurity
    $wanted.SetSecurityDescriptorSddlForm($Rights, 'Access')
    return (ConvertTo-RightsList (Read-FileSecurity $Path)) -eq (ConvertTo-RightsList $wanted)
}

function Resolve-Account([string]$Name) {   # its SID
    if ($Name -match '\AS-1-[0-9-]+\z') { return $Name }
    if ($Name -eq 'LocalSystem') { return 'S-1-5-18' }
    if ($Name.StartsWith('.\')) { $Name = $env:COMPUTERNAME + $Name.Substring(1) }
    $reference = New-Object System.Security.Principal.NTAccount $Name
    try { return $reference.Translate([System.Security.Principal.SecurityIdentifier]).Value }
    catch { Stop-Install 1 "there is no account or group '$Name' here." }
}

function Initialize-Rights {   # whose the key is to be; on a client nobody's but by -Owner
    $name = $script:Options.Owner
    if ($name -eq '' -and $script:Role -eq 'server') { $name = $script:DeclaredOwner }
    if ($script:Options.User) { $name = 'the current user' }
    if (-not $script:OwnKey -and @($script:Payload | Where-Object { $_.Kind -eq 'key' }).Count -eq 0) {
        if ($name -ne '' -and -not $script:Options.User) {
            Add-Note @("there is no key in $PSScriptRoot", "that $name could read.")
        }
    }
    elseif (-not $script:SetsRights) {
        $readers = 'SYSTEM, Administrators'
        if ($name -ne '') { $readers += ", $name" }
        Add-Note @('no NTFS rights are set below -Root. On the host only these may read the key:', "$readers.")
    }
    elseif ($name -ne '' -and -not $script:Options.User) { $script:Account = Resolve-Account $name }
}

function Get-KeyRights([string]$Path) {
    if (-not $script:SetsRights -or $script:Options.User) { return $script:PrivateFile }
    if ($script:Account -ne '') { return $script:PrivateFile + '(A;;FR;;;' + $script:Account + ')' }
    if ([System.IO.File]::Exists($Path)) {
        # Nobody said anything: as it was set by hand or last time, unless it is open to a crowd. Such may read
        # a client's key, which somebody gave away by -Owner.
        $rights = Read-Rights $Path
        $questionable = $rights
        if ($script:Role -eq 'client') { $questionable = $rights -replace '\(A;;(FR|0x1200a9);;;[^)]*\)', '' }
        $crowd = ';(WD|AN|AU|BU|BG|IU|NU|DU|DG|DC)\)'
        if ($rights.StartsWith('D:P') -and $questionable -notmatch $crowd) { return $rights }
    }
    return $script:PrivateFile
}
