# ---- options --------------------------------------------------------------------------------------------

function Show-Usage {
    Write-Host @'
usage: install.cmd [-DryRun] [-Verify | -Rollback | -Uninstall | -NewKey] [-User] [-Root DIR]
                   [-Owner ACCOUNT] [-Force] [-Restart]

  (nothing)       install the files of this folder and set the keywords of ipmssl.cfg
  -DryRun         print what would change, and change nothing
  -Verify         compare this host with this folder: exit 1 and say what differs
  -Rollback       put back what stood here before the last change
  -Uninstall      remove what install.ps1 put here, put back what it had replaced
  -NewKey         make a key that stays on this host, and the request for its certificate, with openssl;
                  the key in use stays in use until that certificate is installed
  -User           work on the InfoPrint Manager client of the current user, not of the whole computer;
                  needs no administrator
  -Root DIR       work below DIR instead of on this computer; needs no administrator, sets no NTFS rights
  -Owner ACCOUNT  the account that may read the key; on a client this may be a group
  -Force          go on although this is not the host the folder was made for; with -NewKey on the
                  right host, make another key although one waits for its certificate
  -Restart        run the restart command of pki.toml when something changed
  -Help           print this

exit status: 0 done or up to date, 1 failed and nothing changed (or -Verify found differences),
             2 wrong usage, 3 wrong host, 4 damaged folder
'@
}

function Stop-Usage([string]$Message) {
    Stop-Install 2 ($Message + [System.Environment]::NewLine + "Try 'install.cmd -Help'.")
}

# Read by hand: PowerShell's own binding answers a mistyped name with exit status 1, which here means 'failed'.

function Read-Options([object[]]$Arguments) {
    $switches = @('DryRun', 'Verify', 'Rollback', 'Uninstall', 'NewKey', 'User', 'Force', 'Restart', 'Help')
    $index = 0
    while ($index -lt $Arguments.Count) {
        $word = [string]$Arguments[$index]
        $index++
        if ($word -eq '/?') { $word = '-Help' }
        # '-Root:DIR' arrives as '-Root:' and 'DIR', or as '-Root' and 'DIR'; '-Force:$true' likewise.
        $with_colon = $word.EndsWith(':')
        $name = $word.TrimEnd(':')
        $known = @($switches | Where-Object { ('-' + $_) -eq $name })
        if ($known.Count -eq 1) {
            $script:Options[$known[0]] = $true
            if ($index -lt $Arguments.Count -and ($with_colon -or $Arguments[$index] -is [bool])) {
                $script:Options[$known[0]] = [string]$Arguments[$index] -match '\A\$?true\z'
                $index++
            }
        }
        elseif ($name -eq '-Root' -or $name -eq '-Owner') {
            $value = ''
            if ($index -lt $Arguments.Count) { $value = [string]$Arguments[$index] }
            if ($value -eq '') { Stop-Usage "$name needs a value" }
            $script:Options[$name.Substring(1)] = $value
            $index++
        }
        else { Stop-Usage "unknown option '$word'" }
    }
}

function Test-Options {
    $chosen = $script:Options
    $modes = @('Verify', 'Rollback', 'Uninstall', 'NewKey' | Where-Object { $chosen[$_] })
    if ($modes.Count -gt 1) { Stop-Usage ('-' + $modes[0] + ' and -' + $modes[1] + ' exclude each other') }
    if ($chosen.Verify -and ($chosen.DryRun -or $chosen.Restart)) {
        Stop-Usage '-Verify changes nothing: it stands alone'
    }
    if ($chosen.NewKey) {
        if ($chosen.Restart) { Stop-Usage '-NewKey changes nothing in use: not with -Restart' }
        if ($script:KeyType -eq '') {
            Stop-Usage ('-NewKey: the key of this host is not its own. Declare csr = "csr/NAME.csr" for it ' +
                "in pki.toml, run 'ipmpki build', and carry the folder here again.")
        }
    }
    if ($chosen.User) {
        if ($script:Role -ne 'client') { Stop-Usage '-User is for a client: this folder was made for a server' }
        if ($chosen.Owner -ne '') { Stop-Usage "-User and -Owner exclude each other: the key is the current user's" }
    }
    if ($chosen.Owner.StartsWith('-')) { Stop-Usage '-Owner wants the name of an account' }
    if ($chosen.Owner -ne '' -and ($chosen.Rollback -or $chosen.Uninstall)) {
        Stop-Usage ('-' + $modes[0] + ' gives no key away: not with -Owner')
    }
    if ($chosen.Restart -and $script:RestartCommand -eq '') {
        Stop-Usage '-Restart: pki.toml declares no restart_command for this host'
    }
    if ($chosen.Root -ne '') {
        # .NET knows nothing of PowerShell's current folder, so the path is made whole here.
        $chosen.Root = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($chosen.Root)
    }
    elseif (-not $script:OnWindows) { Stop-Usage 'this is not Windows: -Root DIR is needed' }
}
