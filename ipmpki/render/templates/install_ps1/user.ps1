# ---- one user's client ----------------------------------------------------------------------------------

function Initialize-User {   # the current user's folder takes the place of the computer's
    $script:HostFolder = $script:ClientFolder
    $script:ClientFolder = $script:UserFolder
    $script:Areas = @('client')
    # All has the rights of the profile, but for keys and backups: the user must be able to replace those too.
    $script:PublicFile = ''
    $script:PublicFolder = ''
    if ($script:SetsRights) {
        $sid = [System.Security.Principal.WindowsIdentity]::GetCurrent().User.Value
        $script:PrivateFile += "(A;;FA;;;$sid)"
        $script:PrivateFolder += "(A;OICI;FA;;;$sid)"
    }
}

function Add-UserAdvice {   # the vendor names the computer's folder alone as the place of ca-cert.pem
    $folder = Resolve-Target $script:HostFolder
    $enforced = [System.IO.Path]::Combine($folder, 'ipmssl.cfg')
    if ([System.IO.File]::Exists($enforced)) {
        Add-Note @("the administrator's $enforced", 'overrides this one, keyword by keyword.')
    }
    if (@($script:Settings | Where-Object { $_.Value -eq 'ca-cert.pem' }).Count -gt 0) { return }
    $trusted = [System.IO.Path]::Combine($folder, 'ca-cert.pem')
    if ([System.IO.File]::Exists($trusted)) {
        if ((Read-Content $trusted).Equals((Read-Content (Get-BundlePath 'ca-cert.pem')))) {
            Add-Note @("the vendor names $folder alone as the place of ca-cert.pem.", 'The one there is this one.')
            return
        }
    }
    Add-Note @("the vendor names $folder alone as the place of ca-cert.pem, and this",
        'one is not there. Let an administrator run install.cmd without -User, or',
        'declare the keyword for it in pki.toml: [ipm] keywords.ca_file.')
}
