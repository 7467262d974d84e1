# ---- the folder that was carried here -------------------------------------------------------------------

function Read-Content([string]$Path) {
    return $script:Latin1.GetString([System.IO.File]::ReadAllBytes($Path))
}

function Get-Sha256([string]$Content) {
    $algorithm = [System.Security.Cryptography.SHA256]::Create()
    try { $digest = $algorithm.ComputeHash($script:Latin1.GetBytes($Content)) }
    finally { $algorithm.Dispose() }
    return (ConvertTo-Hex $digest).ToLowerInvariant()
}

function ConvertTo-Hex([byte[]]$Bytes) { return [System.BitConverter]::ToString($Bytes).Replace('-', '') }

function ConvertTo-Content([string]$Text) {   # text as the UTF-8 bytes of a file, without a byte order mark
    return $script:Latin1.GetString($script:Utf8.GetBytes($Text))
}

function ConvertFrom-Content([string]$Content) { return $script:Utf8.GetString($script:Latin1.GetBytes($Content)) }

function Write-NewFile([string]$Path, [string]$Content, [string]$Rights) {
    # Empty first, then its rights, then what is in it; on the disk before this returns.
    [System.IO.File]::Open($Path, 'CreateNew', 'Write', 'None').Dispose()
    Set-Rights $Path $Rights
    $stream = [System.IO.File]::Open($Path, 'Open', 'Write', 'Read')
    try {
        $bytes = $script:Latin1.GetBytes($Content)
        $stream.Write($bytes, 0, $bytes.Length)
        $stream.Flush($true)
    }
    finally { $stream.Dispose() }
}

function Write-Lines([string]$Path, [string[]]$Lines) {   # a file of this script's own, below $State
    Write-NewFile $Path (ConvertTo-Content ($Lines -join "`n")) ''
}

function Read-Lines([string]$Path) {   # nothing where there is no such file
    if ([System.IO.File]::Exists($Path)) {
        foreach ($line in [System.IO.File]::ReadAllLines($Path)) { if ($line -ne '') { $line } }
    }
}

function Read-Pem([string]$Content, [string]$Label) {   # bytes of the first block of that label, a regex
    $block = [regex]::Match($Content, "-----BEGIN $Label-----([A-Za-z0-9+/=\s]+)-----END $Label-----")
    if (-not $block.Success) { throw 'no such block of PEM' }
    # The comma hands the bytes on as one array: without it they would come out one by one.
    return , [System.Convert]::FromBase64String($block.Groups[1].Value)
}

function Read-Certificate([string]$Content) {   # the first certificate of a PEM file; fails where there is none
    [byte[]]$bytes = Read-Pem $Content 'CERTIFICATE'
    # The comma keeps New-Object from taking each byte for an argument.
    return New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList (, $bytes)
}

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

function Get-BundlePath([string]$Name) { return [System.IO.Path]::Combine($PSScriptRoot, $Name) }

function Assert-File([string]$Name, [string]$Sha256) {   # of this folder
    $path = Get-BundlePath $Name
    if (-not [System.IO.File]::Exists($path)) {
        Stop-Install 4 "$path is missing. Nothing was changed; copy the folder again."
    }
    if ((Get-Sha256 (Read-Content $path)) -ne $Sha256) {
        Stop-Install 4 "$path is not what ipmpki wrote. Nothing was changed; copy the folder again."
    }
}

function Assert-Bundle {
    foreach ($file in $script:Payload) { Assert-File $file.Name $file.Sha256 }
    if ($script:Options.NewKey) { Assert-File 'request.cnf' $script:RequestSum }
    if ($script:Identity -eq '' -or $script:OwnKey) { return }
    $certificate = $script:Identity + '-cert.pem'
    $key = $script:Identity + '-key.pem'
    if (-not (Test-Pair (Read-Content (Get-BundlePath $certificate)) (Read-Content (Get-BundlePath $key)))) {
        Stop-Install 4 "$certificate and $key do not belong together. Nothing was changed."
    }
}
