# ---- a key of this host's own ---------------------------------------------------------------------------

function Add-OwnKey {   # one that never left this host: it stands here, or waits for this folder's certificate
    $certificate = $script:Identity + '-cert.pem'
    $key = $script:Identity + '-key.pem'
    $path = Get-Target $script:Identity $key
    $waiting = Get-WaitingKey
    $stands = [System.IO.File]::Exists($path)
    $waits = [System.IO.File]::Exists($waiting)
    $wanted = Read-Content (Get-BundlePath $certificate)
    if ($stands -and (Test-Pair $wanted (Read-Content $path))) {
        if ($waits) {
            Add-Note @("a new key waits in $waiting",
                "for its certificate. Put its request where pki.toml expects it, as $script:RequestPlace`:",
                "install.cmd -NewKey writes it again. Then run 'ipmpki build'.")
        }
        # Put there by hand, it is left alone.
        if ((Find-Recorded $script:Identity $key) -eq '') { return }
        Add-File $script:Identity $key (Read-Content $path) (Get-KeyRights $path) '' @()
    }
    elseif ($waits -and (Test-Pair $wanted (Read-Content $waiting))) {
        $how = 'the new key, made on this host'
        Add-File $script:Identity $key (Read-Content $waiting) (Get-KeyRights $waiting) $how @()
        $script:Promotes = $true
    }
    elseif ($script:Options.Verify) {
        $why = 'missing: put here the key of the request'
        if ($stands) { $why = "does not belong to $certificate of this folder" }
        Add-Change $script:Identity 'find' $key $why @()
        if ($waits) { Add-Note @("the new key that waits does not belong to it either,", "$waiting.") }
    }
    else {
        $why = "there is no key for $certificate here, neither $path nor one that waits, $waiting."
        if ($stands -and $waits) {
            $why = "$certificate belongs neither to the key in use, $path, nor to the new one that waits, $waiting."
        }
        elseif ($stands) {
            $why = "$certificate does not belong to the key in use, $path, and no new key waits in $waiting."
        }
        elseif ($waits) {
            $why = "$certificate does not belong to the new key that waits, $waiting, and there is no $path."
        }
        Stop-Install 1 ("$why Put the key that its request was made with in place, as $path; or run " +
            "install.cmd -NewKey, put its request where pki.toml expects it, as $script:RequestPlace, " +
            "run 'ipmpki build' and carry the folder here again.")
    }
}

# openssl is asked for the key and the request, as Windows PowerShell can write neither to a file by itself.

function Find-Openssl {
    $name = 'openssl'
    if ($script:OnWindows) { $name = 'openssl.exe' }
    $found = @(Get-Command -Name $name -CommandType Application -ErrorAction SilentlyContinue)
    if ($found.Count -gt 0) { return $found[0].Path }
    foreach ($folder in @('OpenSSL-Win64\bin', 'Git\mingw64\bin')) {
        if ($null -eq $env:ProgramFiles) { continue }
        $path = [System.IO.Path]::Combine($env:ProgramFiles, $folder, 'openssl.exe')
        if ([System.IO.File]::Exists($path)) { return $path }
    }
    Stop-Install 1 'there is no openssl here, which makes keys and requests: put its folder on the PATH.'
}

function Invoke-Openssl([string]$Program, [string[]]$Words) {   # what it writes; stops where it fails
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.FileName = $Program
    # No word ends in a backslash, and a path of Windows has no quotation mark.
    $start.Arguments = @($Words | ForEach-Object { '"' + $_ + '"' }) -join ' '
    $start.UseShellExecute = $false
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $process = [System.Diagnostics.Process]::Start($start)
    # Read beside the other stream: a full pipe would hold both processes up.
    $complaints = $process.StandardError.ReadToEndAsync()
    $written = $process.StandardOutput.ReadToEnd()
    $process.WaitForExit()
    if ($process.ExitCode -ne 0) {
        Stop-Install 1 ('openssl ' + $Words[0] + ' failed: ' + $complaints.Result.Trim() + '.')
    }
    return $written
}

function Write-Key([string]$Program, [string]$Path) {   # in a folder that only the system and administrators see
    $words = @('genpkey', '-algorithm')
    if ($script:KeyType -eq 'ec-p256') { $words += @('EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1') }
    elseif ($script:KeyType -eq 'ec-p384') { $words += @('EC', '-pkeyopt', 'ec_paramgen_curve:secp384r1') }
    else { $words += @('RSA', '-pkeyopt', ('rsa_keygen_bits:' + $script:KeyType.Replace('rsa-', ''))) }
    if ($script:KeyType.StartsWith('ec-')) { $words += @('-pkeyopt', 'ec_param_enc:named_curve') }
    [void](Invoke-Openssl $Program ($words + @('-out', $Path)))
    Set-Rights $Path (Get-KeyRights (Get-Target $script:Role ($script:Role + '-key.pem')))
}

function New-Request([string]$Program, [string]$Key, [string]$Path) {   # its content
    $configuration = Get-BundlePath 'request.cnf'
    $words = @('req', '-new', '-sha256', '-config', $configuration, '-key', $Key, '-passin', 'pass:')
    [void](Invoke-Openssl $Program ($words + @('-out', $Path)))
    # A key or a request of which the disk took a half only is found out here.
    $public = Invoke-Openssl $Program @('pkey', '-in', $Key, '-pubout', '-passin', 'pass:')
    $asked = Invoke-Openssl $Program @('req', '-config', $configuration, '-in', $Path, '-noout', '-pubkey')
    if ($public -eq '' -or -not $public.Equals($asked)) { Stop-Install 1 'the request is not for the key.' }
    return Read-Content $Path
}

function Test-MakesKey {   # where -Force is about the name of the host, a waiting key is not lost by it
    if (-not [System.IO.File]::Exists((Get-WaitingKey))) { return $true }
    return $script:Options.Force -and -not $script:ForcedHost
}

function Find-RequestFolder {   # this folder, or the current one where this cannot be written to
    $current = $ExecutionContext.SessionState.Path.CurrentFileSystemLocation.ProviderPath
    $name = $script:Role + '.csr' + $script:Suffix
    foreach ($folder in @($PSScriptRoot, $current)) {
        $path = [System.IO.Path]::Combine($folder, $name)
        try {
            [System.IO.File]::Delete($path)
            Write-NewFile $path '' ''
            [System.IO.File]::Delete($path)
            return $folder
        }
        catch { continue }
    }
    Stop-Install 1 ("there is no place for the request: neither $PSScriptRoot nor the current folder can be " +
        'written to. Go to a folder that can, and call install.cmd from there.')
}

function Invoke-NewKey {
    $program = Find-Openssl
    $makes = Test-MakesKey
    if ($script:Looks) {
        Show-KeyToCome $makes
        return
    }
    Enter-Change
    $makes = Test-MakesKey      # once more, as before the lock another run may have made one
    $target = [System.IO.Path]::Combine((Find-RequestFolder), ($script:Role + '.csr'))
    $next = Get-StatePath 'prepare'
    [void][System.IO.Directory]::CreateDirectory($next)
    $key = Get-WaitingKey
    if ($makes) {
        $key = [System.IO.Path]::Combine($next, 'waiting-key.pem')
        Write-Key $program $key
    }
    $request = New-Request $program $key ([System.IO.Path]::Combine($next, 'request'))
    if ($makes) {
        $folders = @($script:MadeFolders | ForEach-Object { "folder $_" })
        $installed = @(Read-Lines (Get-StatePath 'installed'))
        if ($folders.Count -gt 0) {
            Write-Lines ([System.IO.Path]::Combine($next, 'installed')) ($installed + $folders)
        }
        Move-Over $next (Get-StatePath 'commit')      # this rename decides
        $script:Changed = $true
        Complete-Change
    }
    try {
        [System.IO.File]::Delete($target + $script:Suffix)
        Write-NewFile ($target + $script:Suffix) $request ''
        Move-Over ($target + $script:Suffix) $target
    }
    catch {
        $reason = $_.Exception.GetBaseException().Message
        Stop-Install 1 "a key waits, but $target cannot be written. $reason"
    }
    Show-NewKey $makes $target
}

function Show-KeyToCome([bool]$Makes) {
    $what = 'the key that was made before still waits in'
    if ($Makes) {
        $what = 'this would make a new key (' + $script:KeyType + '), which waits for its certificate in'
    }
    foreach ($note in $script:Notes) { Write-Host $note }
    Write-Host ($script:DeclaredHost + ": $what")
    Write-Host ('  ' + (Get-WaitingKey))
    if ($Makes -and [System.IO.File]::Exists((Get-WaitingKey))) {
        Write-Host '  in place of the one that waits there, whose request would be void'
    }
    Write-Host ('and would write its request, ' + $script:Role + '.csr, into')
    Write-Host ("  $PSScriptRoot, or the current folder where that cannot be written to.")
    Write-Host 'Nothing was changed.'
    Write-Host 'Next: run it without -DryRun.'
}

function Show-NewKey([bool]$Makes, [string]$Request) {
    $what = 'the key that was made before still waits; its request was written again'
    if ($Makes) { $what = 'a new key was made, and its request written' }
    elseif ($script:Options.Force -and $script:ForcedHost) {
        Add-Note '-Force was for the name of the host. To make another key, remove the one that waits.'
    }
    Write-Host ($script:DeclaredHost + ": $what")
    Write-Host ''
    Write-Host ('  key      ' + (Get-WaitingKey))
    Write-Host "  request  $Request"
    Write-Host ''
    Write-Host 'The key waits there until its certificate is installed; it never leaves this host. Until then'
    Write-Host 'all that is in use here stays as it is.'
    foreach ($note in $script:Notes) { Write-Host $note }
    Write-Host ('Next: carry ' + $script:Role + ".csr to pki.toml, put it there as $script:RequestPlace, run")
    Write-Host "      'ipmpki build', carry the new folder here, and run install.cmd."
}

function Stop-Waiting {   # instead of installing from a folder that has no certificate yet
    $waiting = Get-WaitingKey
    if ([System.IO.File]::Exists($waiting)) {
        Stop-Install 1 ('there is nothing to install yet: the certificate of this host is awaited. A new key ' +
            "waits for it, $waiting. Put its request where pki.toml expects it, as $script:RequestPlace, and " +
            "run 'ipmpki build'; install.cmd -NewKey writes the request again.")
    }
    Stop-Install 1 ('there is nothing to install yet: this host makes its key itself, and its certificate is ' +
        'awaited. install.cmd -NewKey makes a key and the request; README.txt tells the rest.')
}
