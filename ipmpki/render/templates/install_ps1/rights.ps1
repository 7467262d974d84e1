# ---- NTFS rights ----------------------------------------------------------------------------------------
# As SDDL, which names accounts by SID and is the same in every language of Windows. D:P: nothing is inherited.
# SY is SYSTEM (S-1-5-18), BA Administrators (S-1-5-32-544), BU Users (S-1-5-32-545); FA is everything, FR
# reading. Rights are judged by who is allowed, not by who is known to be wrong.

$PrivateFile = 'D:P(A;;FA;;;SY)(A;;FA;;;BA)'
$PublicFile = 'D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;BU)'
$PrivateFolder = 'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)'
$PublicFolder = 'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)'     # reading and walking through
$OwnerPart = 'O:BA'

# SYSTEM, Administrators, TrustedInstaller; OWNER RIGHTS and CREATOR OWNER, which are the owner's.
$Owners = @('S-1-5-18', 'S-1-5-32-544',
  'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464')
$Trusted = $Owners + @('S-1-3-4', 'S-1-3-0')

# Access masks (Windows SDK, winnt.h). Reading: 0x1200a9 is 'read and execute', with the two generic rights.
$Reads = 0x1200a9 -bor [int]::MinValue -bor 0x20000000
$ReadsFile = -1     # whatever it is
# To delete a folder or what is in it, to change its rights or its owner, or all.
$TakesFolder = 0x100d0040
# The same, and to put files or folders in it.
$WritesFolder = 0x500d0156

# The next five functions are all that asks Windows for rights or sets them.

function Get-Sddl([string]$Path) {
  $kind = 'File'
  if (Test-Folder $Path) { $kind = 'Directory' }
  $security = New-Object "Security.AccessControl.${kind}Security" -ArgumentList $Path, 'Access,Owner'
  return $security.GetSecurityDescriptorSddlForm('Access,Owner')
}

function New-Security([string]$Kind, [string]$Sddl) {
  $security = New-Object "Security.AccessControl.${Kind}Security"
  $security.SetSecurityDescriptorSddlForm($Sddl, 'Access,Owner')
  return $security
}

function Set-FolderRights([string]$Path, [string]$Rights) {
  $item = New-Object IO.DirectoryInfo $Path
  $security = New-Security 'Directory' ($OwnerPart + $Rights)
  # .NET has these methods elsewhere than .NET Framework.
  if ($IsCore) { [IO.FileSystemAclExtensions]::SetAccessControl($item, $security) }
  else { $item.SetAccessControl($security) }
}

function Open-SecuredFile([string]$Path, [string]$Rights) {   # made with its rights in one call, shared with nobody
  $security = New-Security 'File' ($OwnerPart + $Rights)
  $writing = [Security.AccessControl.FileSystemRights]::Write
  if ($IsCore) {
    $item = New-Object IO.FileInfo $Path
    return [IO.FileSystemAclExtensions]::Create($item, 'CreateNew', $writing, 'None', 4096, 'None', $security)
  }
  return New-Object IO.FileStream -ArgumentList $Path, 'CreateNew', $writing, 'None', 4096, 'None', $security
}

function New-SecuredFolder([string]$Path, [string]$Rights) {
  $security = New-Security 'Directory' ($OwnerPart + $Rights)
  if ($IsCore) { [void][IO.FileSystemAclExtensions]::CreateDirectory($security, $Path) }
  else { [void][IO.Directory]::CreateDirectory($Path, $security) }
}

function Open-NewFile([string]$Path, [string]$Rights) {
  if ($SetsRights -and $Rights -ne '') { return Open-SecuredFile $Path $Rights }
  if ($OnWindows) { return [IO.File]::Open($Path, 'CreateNew', 'Write', 'None') }
  $making = New-Object IO.FileStreamOptions
  $making.Mode = 'CreateNew'
  $making.Access = 'Write'
  $making.Share = 'None'
  $making.UnixCreateMode = Get-UnixMode $Rights $false
  return [IO.File]::Open($Path, $making)
}

function Get-UnixMode([string]$Rights, [bool]$IsFolder) {
  $modes = @(0x180, 0x1A4, 0x1C0, 0x1ED)     # 0600, 0644, 0700, 0755
  return [IO.UnixFileMode]$modes[2 * [int]$IsFolder + [int]$Rights.Contains(';;;BU)')]
}

function New-Folder([string]$Path, [string]$Rights) {
  if (Test-Folder $Path) { return }
  if ($SetsRights -and $Rights -ne '') { New-SecuredFolder $Path $Rights }
  elseif ($OnWindows) { [void][IO.Directory]::CreateDirectory($Path) }
  else { [void][IO.Directory]::CreateDirectory($Path, (Get-UnixMode $Rights $true)) }
}

function Write-NewFile([string]$Path, [string]$Content, [string]$Rights) {   # on the disk before this returns
  $stream = Open-NewFile $Path $Rights
  try {
    $bytes = $Latin1.GetBytes($Content)
    $stream.Write($bytes, 0, $bytes.Length)
    $stream.Flush($true)
  }
  finally { $stream.Dispose() }
}

# ---- judging rights -------------------------------------------------------------------------------------

function Get-AccountName([string]$Sid) {
  try {
    $identifier = New-Object Security.Principal.SecurityIdentifier $Sid
    return $identifier.Translate([Security.Principal.NTAccount]).Value
  }
  catch { return $Sid }
}

function Read-Entries([string]$Sddl) {   # owner, and the entries that hold for the thing itself; no list: nothing
  $descriptor = New-Object Security.AccessControl.RawSecurityDescriptor $Sddl
  $found = [pscustomobject]@{ Owner = ''; Entries = @(); IsOpen = $false }
  if ($null -ne $descriptor.Owner) { $found.Owner = $descriptor.Owner.Value }
  # Without a list everybody may do anything (MSDN, 'Null DACLs and Empty DACLs').
  $found.IsOpen = $Sddl -notmatch 'D:' -or $Sddl.Contains('NO_ACCESS_CONTROL') -or
    $null -eq $descriptor.DiscretionaryAcl
  if ($found.IsOpen) { return $found }
  $found.Entries = @(foreach ($entry in $descriptor.DiscretionaryAcl) {
      if (([int]$entry.AceFlags -band 8) -ne 0) { continue }     # for what is in the folder alone
      [pscustomobject]@{
        Sid = $entry.SecurityIdentifier.Value; Mask = $entry.AccessMask
        Allows = [string]$entry.AceQualifier -eq 'AccessAllowed'
      }
    })
  return $found
}

function Find-Intruder([string]$Sddl, [int]$Harm, [string[]]$Allowed) {
  $found = Read-Entries $Sddl
  if ($found.IsOpen) { return 'is open to everybody' }
  if ($Allowed -notcontains $found.Owner) { return 'belongs to ' + (Get-AccountName $found.Owner) }
  foreach ($entry in $found.Entries) {
    if (-not $entry.Allows -or ($entry.Mask -band $Harm) -eq 0 -or $Allowed -contains $entry.Sid) { continue }
    $may = 'may be written by '
    if ($Harm -eq $TakesFolder) { $may = 'may be taken over by ' }
    if ($Harm -eq $ReadsFile) { $may = 'may be read by ' }
    return $may + (Get-AccountName $entry.Sid)
  }
  return ''
}

function Find-RightsFault([string]$Sddl, [string[]]$Readers, [string[]]$Must) {
  # What is not as it should be. Readers may read, and '*' is anybody; Must has to be able to.
  $found = Read-Entries $Sddl
  if ($found.IsOpen) { return 'open to everybody' }
  if ($Owners -notcontains $found.Owner) { return 'belongs to ' + (Get-AccountName $found.Owner) }
  $reading = @()
  foreach ($entry in $found.Entries) {
    $who = Get-AccountName $entry.Sid
    if (-not $entry.Allows) { return "refused to $who" }
    # FILE_READ_DATA, GENERIC_READ or GENERIC_ALL
    if (($entry.Mask -band (1 -bor [int]::MinValue -bor 0x10000000)) -ne 0) { $reading += $entry.Sid }
    if ($Trusted -contains $entry.Sid) { continue }
    if (($entry.Mask -band (-bnot $Reads)) -ne 0) { return "$who may change it" }
    if ($Readers -notcontains '*' -and $Readers -notcontains $entry.Sid) { return "$who may read it" }
  }
  foreach ($sid in $Must) {
    if ($reading -notcontains $sid -and $reading -notcontains 'S-1-1-0') {
      return (Get-AccountName $sid) + ' may not read it'
    }
  }
  return ''
}

function Test-Rights([string]$Path, [string]$Rights) {
  # Rights that are not set, or that were taken over as they were, are not judged.
  if (-not $SetsRights -or -not $Rights.StartsWith('D:P')) { return '' }
  $wanted = @((Read-Entries ($OwnerPart + $Rights)).Entries | ForEach-Object { $_.Sid })
  $readers = @($wanted | Where-Object { $Trusted -notcontains $_ })
  $must = $readers + @('S-1-5-18')
  if ($Options.User) { $must = @(Get-OwnNumber) }
  elseif ($Rights -eq $PublicFile) { $readers = @('*') }
  return Find-RightsFault (Get-Sddl $Path) $readers $must
}

function Get-KeptRights([string]$Path) {   # to be set on a copy that takes its place, and so inherits from elsewhere
  if (-not $SetsRights) { return '' }
  $list = (Get-Sddl $Path) -replace '\A.*?(?=D:)', ''
  if ($list -notmatch '\AD:[A-Z]*\(' -or $list.Contains('NO_ACCESS_CONTROL')) { return $PrivateFile }
  return ($list -replace '\AD:[A-Z]*', 'D:P') -replace '\((\w+);([A-Z]*?)ID;', '($1;$2;'
}

#% if key
# ---- whose the key is -----------------------------------------------------------------------------------

function Resolve-Account([string]$Name) {   # its SID; '' where there is no such account
  if ($Name -eq 'LocalSystem') { return 'S-1-5-18' }
  $is_sid = $Name.StartsWith('S-1-')
  if ($is_sid -and $Name -notmatch '\AS-1-\d{1,14}(?:-\d{1,10}){1,15}\z') { return '' }
  if (-not $SetsRights) { return $Name }
  try {
    if ($is_sid) { return (New-Object Security.Principal.SecurityIdentifier $Name).Value }
    if ($Name.StartsWith('.\')) { $Name = $env:COMPUTERNAME + $Name.Substring(1) }
    $reference = New-Object Security.Principal.NTAccount $Name
    return $reference.Translate([Security.Principal.SecurityIdentifier]).Value
  }
  catch { return '' }
}

function Test-Crowd([string]$Sid) {   # whether it stands for more than an account or a group somebody made
  # Accounts and groups of this computer, of a domain (from 1000 on; 500 is Administrator), of Entra ID; services.
  if ($Sid -match '\AS-1-5-21-\d+-\d+-\d+-(\d+)\z') { return [long]$Matches[1] -lt 1000 -and $Matches[1] -ne '500' }
  return $Sid -notmatch '\AS-1-(5-(18|19|20|32-544|80-\d+-.*|82-\d+-.*)|12-1-.*)\z'
}

function Initialize-Rights {   # who may read the key beside the system; on a client nobody but by -Owner
  if ($Options.User) { return }
  $name = $Options.Owner
  if ($name -eq '') { $name = $DeclaredOwner }      # of a server
  $sid = ''
  if ($name -ne '') {
    $sid = Resolve-Account $name
    if ($sid -eq '') { $script:AccountFault = "there is no account or group '$name' here" }
    elseif ($SetsRights -and (Test-Crowd $sid)) {
      $who = Get-AccountName $sid
      if ($Role -eq 'server') { $script:AccountFault = "$who is more than the one account that runs the server" }
      else { Add-Note @("everybody in $who may read the key of this host,", 'and show its certificate as their own.') }
    }
    if ($AccountFault -ne '' -and -not $Options.Verify) {
      Stop-Install 1 "$AccountFault. Name another by -Owner, or in pki.toml by server_account."
    }
  }
  if (-not $SetsRights) { Add-RootNote $name }
  # What nobody can be named for is one difference, not one for each file.
  elseif ($AccountFault -ne '' -or $name -eq '') { $script:Account = Find-RecordedReader }
  elseif ($Owners -notcontains $sid) { $script:Account = $sid }
}

function Add-RootNote([string]$Name) {
  $readers = 'SYSTEM, Administrators'
  if ($Name -ne '' -and @('SYSTEM', 'LocalSystem', 'Administrators', 'S-1-5-18') -notcontains $Name) {
    $readers += ", $Name"
  }
  $what = 'no NTFS rights are set below -Root.'
  if (-not $OnWindows) { $what = 'below -Root keys are for the current user alone.' }
  Add-Note @("$what On the host only these may read the key:", "$readers.")
}

function Find-RecordedReader {
  foreach ($line in @(Read-Record)) { if ($line.StartsWith('reader ')) { return $line.Substring(7) } }
  return ''
}

function Get-KeyRights {
  if ($Account -eq '') { return $PrivateFile }
  return $PrivateFile + '(A;;FR;;;' + $Account + ')'
}

#% end
# ---- the folders ----------------------------------------------------------------------------------------

function Get-SettingsRights([string]$Area) {   # of ipmssl.cfg; a client's all users must be able to read
#% if server
  if ($Area -eq 'server' -and $Account -ne '') { return Get-KeyRights }
#% end
  return $PublicFile
}

function Get-FolderRights([string]$Area) {
#% if server
  if ($Area -eq 'server' -and $Account -ne '') {
    return $PrivateFolder + '(A;OICI;0x1200a9;;;' + $Account + ')'
  }
#% end
  return $PublicFolder
}

function Find-FolderFault([string]$Path, [int]$Harm) {   # why what is in it may be another's; '': it is not
  if (Test-File $Path) { return 'is a file, not a folder' }
  if (((New-Object IO.DirectoryInfo $Path).Attributes -band [IO.FileAttributes]::ReparsePoint) -ne 0) {
    return 'is a link, which may lead anywhere'
  }
  if ($SetsRights) { return Find-Intruder (Get-Sddl $Path) $Harm $Trusted }
  if (-not $OnWindows -and $Harm -eq $WritesFolder -and
    ([int][IO.File]::GetUnixFileMode($Path) -band 2) -ne 0) { return 'may be written by everybody' }
  return ''
}

function Test-Entry([string]$Path) {   # whether there is anything, be it a link that leads nowhere
  return [int](New-Object IO.FileInfo $Path).Attributes -ne -1
}

function Find-Faults {   # of the folders that lead to the files, down to the first that is missing
  foreach ($area in $Areas) {
    $ours = @(Get-Folder $area)
    $folders = @(Get-Way $area)
    if ($area -eq 'client') {
      $ours += $State
      $folders += $State
    }
    foreach ($folder in $folders) {
      if (-not (Test-Entry $folder)) { break }
      $harm = $TakesFolder
      if ($ours -contains $folder) { $harm = $WritesFolder }
      $why = Find-FolderFault $folder $harm
      if ($why -eq '') { continue }
      $can_mend = $ours -contains $folder -and -not $why.StartsWith('is a ')
      [pscustomobject]@{ Area = $area; Path = $folder; Why = $why; CanMend = $can_mend }
      break
    }
  }
}

function Confirm-Folders {   # whether nobody else decides what is read and written below them; for -Verify, false
  $faults = @(Find-Faults)
  foreach ($fault in $faults) {
    if ($Options.Verify) { Add-Change $fault.Area 'find' (Get-ShortPath $fault.Area $fault.Path) $fault.Why }
    elseif (-not ($Options.Repair -and $fault.CanMend)) { Stop-Unsafe $fault }
    elseif ($fault.Path -eq $State) { Add-Mend $fault.Area $State '' ('set aside, as it ' + $fault.Why) }
    else { Add-Mend $fault.Area $fault.Path (Get-FolderRights $fault.Area) ('taken back, as it ' + $fault.Why) }
  }
  return $faults.Count -eq 0
}

function Stop-Unsafe($Fault) {
  $what = $Fault.Path + ' ' + $Fault.Why
  $danger = ': whoever that is could read the key or have other files changed.'
  if ($what.EndsWith('not a folder')) { Stop-Install 1 "$what. Move it away, and run this again." }
  if ($what.EndsWith('lead anywhere')) { Stop-Install 1 "$what. Put a folder in the place of the link, and run this again." }
  if ($Fault.CanMend -and $SetsRights) { Stop-Install 1 "$what$danger Look what is in it; install.cmd -Repair takes it back." }
  Stop-Install 1 "$what$danger Have its administrator put its owner and rights in order (icacls), and run this again."
}

function Add-Mend([string]$Area, [string]$Path, [string]$Rights, [string]$Reason) {
  $Mends.Add([pscustomobject]@{ Area = $Area; Path = $Path; Rights = $Rights; Reason = $Reason })
}

function Invoke-Mends {
  foreach ($mend in $Mends) {
    $script:Changed = $true
    if ($mend.Rights -eq '') {
      $number = 1
      while (Test-Entry ($mend.Path + "-untrusted-$number")) { $number++ }
      [IO.Directory]::Move($mend.Path, $mend.Path + "-untrusted-$number")
      Add-Note @('what it remembered of earlier runs is not believed, and is now', ($mend.Path + "-untrusted-$number."))
      continue
    }
    try { Set-FolderRights $mend.Path $mend.Rights }
    catch {
      # Whose folder lets nobody in gives it up to this program of Windows alone.
      $program = Join-Name ([Environment]::SystemDirectory) 'takeown.exe'
      [void](Invoke-Program $program @('/a', '/f', $mend.Path) $null)
      Set-FolderRights $mend.Path $mend.Rights
    }
  }
}

function Show-Mends {
  foreach ($mend in $Mends) {
    Add-Change $mend.Area 'mend' (Get-ShortPath $mend.Area $mend.Path) $mend.Reason
  }
}

function Get-ShortPath([string]$Area, [string]$Path) {   # within the folder under whose name it is listed
  if ($Path -eq (Get-Folder $Area)) { return '.' }
  if ($Path -eq $State) { return '.ipmpki' }
  return $Path
}

function Find-Mends {   # folders of ours that others may read, which is no reason to stop
  if (-not $SetsRights -or $Options.User) { return }
  if (Test-Folder $State) {
    $why = Find-RightsFault (Get-Sddl $State) @() @()
    if ($why -ne '') { Add-Mend 'client' $State $PrivateFolder $why }
  }
#% if server
  $folder = Get-Folder 'server'
  if ($Identity -eq '' -or -not (Test-Folder $folder)) { return }
  $readers = @('S-1-5-32-545')
  $must = @()
  if ($Account -ne '') {
    $readers = @($Account)
    $must = $readers
  }
  $why = Find-RightsFault (Get-Sddl $folder) $readers $must
  if ($why -ne '') { Add-Mend 'server' $folder (Get-FolderRights 'server') $why }
#% end
}
