# ---- the same for every host ----------------------------------------------------------------------------
# Written for Windows PowerShell 5.1, which PowerShell 7 runs too. No key is ever readable more widely than at
# its end, nor printed.
#
# Nothing on this host changes but in the part headed 'the change'. There, all is first prepared: the new files
# beside the old ones as NAME.ipmpki-new, backups and the rest in STATE\prepare. One rename, of 'prepare' to
# 'commit', decides; then one rename for each file puts it in place. A run that finds 'commit' completes it, one
# that finds 'undo' puts the old files back, one that finds 'prepare' throws it away: so a host whose
# install.ps1 was killed ends up with the old set or with the new one.
#
# A key that -NewKey has made waits in STATE\waiting-key.pem, where no program looks for it, until a folder is
# installed whose certificate belongs to it: both are put in place by one change.
#
# The content of a file is held as a string of Latin-1, in which each byte is one character, so that every byte
# comes back as it was. Contents are compared by Equals, as -eq takes no notice of some characters.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$OnWindows = [System.Environment]::OSVersion.Platform -eq [System.PlatformID]::Win32NT
$Latin1 = [System.Text.Encoding]::GetEncoding(28591)
$Utf8 = New-Object System.Text.UTF8Encoding $false
$Suffix = '.ipmpki-new'

$Options = @{
    DryRun = $false; Verify = $false; Rollback = $false; Uninstall = $false; NewKey = $false; User = $false
    Force = $false; Restart = $false; Help = $false; Root = ''; Owner = ''
}
$ExitCode = 1                # what the process ends with; 0 is earned at the very end
$Looks = $false              # this run only looks: -DryRun or -Verify
$Areas = @('server', 'client')      # the server's files first, as the client's ipmssl.cfg may name them
$HostFolder = ''             # with -User: the folder that holds for every user
$State = ''                  # folder of the record and the backups
$SetsRights = $false         # NTFS rights are set and compared on Windows, not below -Root
$Account = ''                # SID of who may read the key, beside the system; empty where nobody was named
$WrongHost = ''              # for -Verify
$ForcedHost = $false         # -Force was needed for the name of the host
$Promotes = $false           # the waiting key is put in place
$Spends = $false             # the waiting key goes
$Returns = ''                # by -Rollback: the key in place that waits again
$Lock = $null                # open while this run may change something
$Changed = $false            # something on this host is not as this run found it
$Recovered = ''              # what became of an earlier run that was interrupted
$RolledBack = $false         # a backup was put back: by an earlier run, if this one has only begun
$MadeFolders = New-Object 'System.Collections.Generic.List[string]'     # areas whose folder this run made
$Plan = New-Object 'System.Collections.Generic.List[object]'            # for the machine
$Changes = New-Object 'System.Collections.Generic.List[object]'         # the same for people
$Notes = New-Object 'System.Collections.Generic.List[string]'
$Record = New-Object 'System.Collections.Generic.List[string]'          # of what was installed, as it will be

function Stop-Install([int]$Code, [string]$Message) {
    $script:ExitCode = $Code
    throw $Message
}

function Add-Note([string[]]$Lines) {   # lines of some 80 characters
    $note = 'Note: ' + ($Lines -join ([System.Environment]::NewLine + '      '))
    if (-not $script:Notes.Contains($note)) { $script:Notes.Add($note) }
}
