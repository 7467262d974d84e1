# ---- the folder that was carried here -------------------------------------------------------------------

function Read-Content([string]$Path) { return $Latin1.GetString([IO.File]::ReadAllBytes($Path)) }

function Get-Sha256([string]$Content) {
  $algorithm = [Security.Cryptography.SHA256]::Create()
  try { return (ConvertTo-Hex $algorithm.ComputeHash($Latin1.GetBytes($Content))).ToLowerInvariant() }
  finally { $algorithm.Dispose() }
}

function ConvertTo-Hex([byte[]]$Bytes) { return [BitConverter]::ToString($Bytes).Replace('-', '') }

# Text as the UTF-8 bytes of a file, without a byte order mark, and back.

function ConvertTo-Content([string]$Text) { return $Latin1.GetString($Utf8.GetBytes($Text)) }

function ConvertFrom-Content([string]$Content) { return $Utf8.GetString($Latin1.GetBytes($Content)) }

# In the next two a comma keeps PowerShell from taking an array of bytes apart.

function Read-Pem([string]$Content, [string]$Label) {
  $block = [regex]::Match($Content, "-----BEGIN $Label-----([A-Za-z0-9+/=\s]+)-----END $Label-----")
  if (-not $block.Success) { throw 'no such block of PEM' }
  return , [Convert]::FromBase64String($block.Groups[1].Value)
}

function Read-Certificate([string]$Content) {   # the first certificate of a PEM file; fails where there is none
  [byte[]]$bytes = Read-Pem $Content 'CERTIFICATE'
  return New-Object Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList (, $bytes)
}

#% if key
function Test-Pair([string]$Certificate, [string]$Key) {
  # A PKCS#8 private key holds its public key: an RSA key its modulus and exponent, one behind the other as
  # in the certificate (RFC 8017, appendix A.1), an EC key its point (RFC 5915). No openssl is needed.
  try {
    $public = ConvertTo-Hex ((Read-Certificate $Certificate).GetPublicKey())
    $private = ConvertTo-Hex (Read-Pem $Key '(?:RSA |EC )?PRIVATE KEY')
  }
  catch { return $false }
  # A point begins with 04. An RSA key begins with SEQUENCE and its length, 30 81 nn or 30 82 nn nn, which
  # is another one in the private key.
  return $private.Contains(($public -replace '\A30(82....|81..)', ''))
}

#% end
function Read-Carried([string]$Name, [string]$Sha256) {   # what is checked here is what is installed
  if ($Carried.ContainsKey($Name)) { return }
  $path = Join-Name $PSScriptRoot $Name
  $why = 'is missing'
  if (Test-File $path) {
    $Carried[$Name] = Read-Content $path
    if ((Get-Sha256 $Carried[$Name]) -eq $Sha256) { return }
    $why = 'is not what ipmpki wrote'
  }
  Stop-Install 4 "$path $why. Nothing was changed; copy the folder again."
}

function Assert-Bundle {
  foreach ($file in $Payload) { Read-Carried $file.Name $file.Sha256 }
#% if own_key
  if ($Options.NewKey) { Read-Carried 'request.cnf' $RequestSum }
#% end
#% if key
  if ($Identity -eq '' -or $OwnKey) { return }
  $certificate = $Identity + '-cert.pem'
  $key = $Identity + '-key.pem'
  if (-not (Test-Pair $Carried[$certificate] $Carried[$key])) {
    Stop-Install 4 "$certificate and $key do not belong together. Nothing was changed; run 'ipmpki build' again."
  }
#% end
}

# Whoever may write the folder, or put another in its place, decides what is installed from it, and what this
# script does.

function Find-Writer([string]$Path, [bool]$IsAbove, [string]$Own) {   # who else than the user and the system
  if ($OnWindows) {
    $harm = $WritesFolder
    if ($IsAbove) { $harm = $TakesFolder }
    return Find-Intruder (Get-Sddl $Path) $harm (@($Own) + $Trusted)
  }
  $mode = [int][IO.File]::GetUnixFileMode($Path)
  # In a sticky folder such as /tmp nobody removes what is another's.
  if (($mode -band 0x12) -ne 0 -and -not ($IsAbove -and ($mode -band 0x200) -ne 0)) {
    return 'may be written by other accounts'
  }
  $owner = (Get-Item -LiteralPath $Path -Force).UnixStat.UserId
  if (@('0', $Own, "$env:SUDO_UID") -notcontains "$owner") { return "belongs to another account, of number $owner" }
  return ''
}

function Get-OwnNumber {
  if ($OnWindows) { return (Get-CurrentUser).User.Value }
  return [string](& '/usr/bin/id' '-u')
}

function Assert-TrustedFolder {
  # Below -Root on Windows no rights are looked at.
  if ($OnWindows -and -not $SetsRights) { return }
  $own = Get-OwnNumber
  $folder = $PSScriptRoot
  while ($folder) {
    $why = Find-Writer $folder ($folder -ne $PSScriptRoot) $own
    if ($why -ne '') {
      $what = "$folder $why, so what is in $PSScriptRoot need not be what ipmpki wrote."
      if (-not $Options.TrustFolder) {
        Stop-Install 4 ("$what Nothing was changed. Carry it to a folder that only you and " +
          'administrators can write (README.txt names one), or say -TrustFolder.')
      }
      Add-Note @("-TrustFolder: $what")
    }
    $folder = [IO.Path]::GetDirectoryName($folder)
  }
}

#% if key
function Add-KeyWarning {
  foreach ($file in @($Payload | Where-Object { $_.Kind -eq 'key' })) {
    $path = Join-Name $PSScriptRoot $file.Name
    $readers = ''
    if ($SetsRights) { $readers = Find-Intruder (Get-Sddl $path) $ReadsFile (@(Get-OwnNumber) + $Trusted) }
    elseif (-not $OnWindows -and ([int][IO.File]::GetUnixFileMode($path) -band 0x24) -ne 0) {
      $readers = 'may be read by other accounts'
    }
    if ($readers -ne '') { Add-Note @("$path $readers.", 'Delete this folder when you are done.') }
  }
}
#% end
