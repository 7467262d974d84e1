# ---- the same for every host ----------------------------------------------------------------------------
# Written for Windows PowerShell 5.1, which PowerShell 7 runs too. No key is ever readable more widely than at
# its end, nor printed.
#
# Nothing on this host changes but in the part headed 'the change'. There, all is first prepared: the new files
# in .ipmpki-new of the folder they go to, which only administrators open, backups and the rest in STATE\prepare.
# One rename, of 'prepare' to 'commit', decides; then one rename for each file puts it in place. A run that finds
# 'commit' completes it, one that finds 'undo' puts the old files back, one that finds 'prepare' throws it away:
# so a host whose install.ps1 was killed ends up with the old set or with the new one.
#
#% if own_key
# A key that -NewKey has made waits in STATE\waiting-key.pem, where no program looks for it, until a folder is
# installed whose certificate belongs to it: both are put in place by one change.
#
#% end
# The content of a file is held as a string of Latin-1, in which each byte is one character, so that every byte
# comes back as it was. Contents are compared by Equals, as -eq takes no notice of some characters.

function Show-Usage {
  Write-Host @'
#% if own_key
usage: install.cmd [-DryRun] [-Verify | -Rollback | -Uninstall | -NewKey]
#% end
#% if not own_key
usage: install.cmd [-DryRun] [-Verify | -Rollback | -Uninstall]
#% end
                   [-Root DIR] [-Force] [-TrustFolder] [-Repair]
#% if user
                   [-User]
#% end
#% if key
                   [-Owner ACCOUNT]
#% end
#% if restart
                   [-Restart]
#% end

  (nothing)       install the files of this folder and set the keywords of ipmssl.cfg
  -DryRun         print what would change, and change nothing
  -Verify         compare this host with this folder: exit 1 and say what differs
  -Rollback       put back what stood here before the last change
  -Uninstall      remove what install.ps1 put here, put back what it had replaced
#% if own_key
  -NewKey         make a key that stays on this host, and the request for its certificate, with openssl;
                  the key in use stays in use until that certificate is installed
#% end
#% if user
  -User           work on the InfoPrint Manager client of the current user, not of the whole computer;
                  needs no administrator
#% end
  -Root DIR       work below DIR instead of on this computer; needs no administrator, sets no NTFS rights
#% if key
  -Owner ACCOUNT  the account that may read the key; on a client this may be a group
#% end
#% if own_key
  -Force          go on although this is not the host the folder was made for; with -NewKey on the
                  right host, make another key although one waits for its certificate
#% end
#% if not own_key
  -Force          go on although this is not the host the folder was made for
#% end
  -TrustFolder    go on although others may write this folder, and so what is installed from it
  -Repair         take InfoPrint Manager's ssl and ipm folders and install.ps1's own back from whoever else
                  owns or may write them
#% if restart
  -Restart        run the restart command of pki.toml when something changed
#% end
  -Help           print this

exit status: 0 done or up to date, 1 failed and nothing changed (or -Verify found differences),
             2 wrong usage, 3 wrong host, 4 damaged folder, or one that others may write,
             5 something changed and something failed: what stands now is said
'@
}

# AppLocker and App Control for Business run scripts that they do not know in this way. Nothing of .NET can be
# called then, so it is found out before anything else is tried.
if ([string]$ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
  if ($args | Where-Object { $_ -eq '-Help' -or $_ -eq '/?' }) {
    Show-Usage
    exit 0
  }
  Write-Host ('install.ps1: PowerShell runs this script in its ' +
    [string]$ExecutionContext.SessionState.LanguageMode + ' mode, in which it can do nothing here.')
  Write-Host 'A policy of this computer does that (AppLocker or App Control for Business), whose'
  Write-Host 'administrator can allow this script, or sign it. README.txt tells the way by hand.'
  Write-Host 'Nothing was changed.'
  exit 1
}

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# Commands come from PowerShell's own folder, not from the modules of whoever is logged in.
$ModulePath = $env:PSModulePath
$env:PSModulePath = [IO.Path]::Combine($PSHOME, 'Modules')

$OnWindows = [Environment]::OSVersion.Platform -eq [PlatformID]::Win32NT
$IsCore = $PSVersionTable.PSVersion.Major -ge 6      # .NET, which has some methods elsewhere than .NET Framework
$Latin1 = [Text.Encoding]::GetEncoding(28591)
$Utf8 = New-Object Text.UTF8Encoding $false
$Separator = [string][IO.Path]::DirectorySeparatorChar
$Stage = '.ipmpki-new'

$Options = @{
  DryRun = $false; Verify = $false; Rollback = $false; Uninstall = $false; NewKey = $false; User = $false
  Force = $false; TrustFolder = $false; Repair = $false; Restart = $false; Help = $false; Root = ''; Owner = ''
}
$ExitCode = 1                # what the process ends with; 0 is earned at the very end
$Finished = $false           # false to the end where Ctrl-C has come in between
$Looks = $false              # this run only looks: -DryRun or -Verify
$Areas = @('server', 'client')      # the server's files first, as the client's ipmssl.cfg may name them
$HostFolder = ''             # with -User: the folder that holds for every user
$State = ''                  # folder of the record and the backups
$SetsRights = $false         # NTFS rights are set and compared on Windows, not below -Root
$Account = ''                # SID of who may read the key, beside the system; empty where nobody was named
$AccountFault = ''           # for -Verify: what is wrong with who was named
$WrongHost = ''              # for -Verify
$ForcedHost = $false         # -Force was needed for the name of the host
$Promotes = $false           # the waiting key is put in place
$Spends = $false             # the waiting key goes
$Returns = ''                # by -Rollback: the key in place that waits again
$Stays = $false              # by -Uninstall: a file that somebody changed stays
$Lock = $null                # open while this run may change something
$Changed = $false            # something on this host is not as this run found it
$Recovered = ''              # what became of an earlier run that was interrupted
$RolledBack = $false         # a backup was put back: by an earlier run, if this one has only begun
$Carried = @{}               # content of this folder's files, read once
$Pending = @{}               # for -DryRun: 'AREA NAME' and where its content is, as an earlier run will leave it
$MadeFolders = New-Object 'Collections.Generic.List[string]'     # lines 'folder AREA LEVELS' of this run
$Mends = New-Object 'Collections.Generic.List[object]'           # folders whose rights are to be set
$Plan = New-Object 'Collections.Generic.List[object]'            # for the machine
$Changes = New-Object 'Collections.Generic.List[object]'         # the same for people
$Notes = New-Object 'Collections.Generic.List[string]'
$Record = New-Object 'Collections.Generic.List[string]'          # of what was installed, as it will be

# Whatever is printed passes through here, as names, contents and other programs' words are others'. What would
# drive a terminal or turn its writing about is shown as '\x1b', '\u202e'; half a pair, and so U+E0000, as two.
$ShownAsItIs = '\r?\n|[\uD800-\uDB3F\uDB41-\uDBFF][\uDC00-\uDFFF]|([\p{C}\p{Z}-[\t \u00A0]])'

function Get-Shown([string]$Text) {
  return [regex]::Replace($Text, $ShownAsItIs, {
      param($Found)
      if (-not $Found.Groups[1].Success) { return $Found.Value }
      $code = [int][char]$Found.Value
      if ($code -lt 0x80) { return '\x{0:x2}' -f $code }
      return '\u{0:x4}' -f $code
    })
}

function Write-Line([string]$Text) { Write-Host (Get-Shown $Text) }

function Write-Failure([string]$Message) { [Console]::Error.WriteLine((Get-Shown "install.ps1: $Message")) }

function Stop-Install([int]$Code, [string]$Message) {
  $script:ExitCode = $Code
  throw $Message
}

function Add-Note([string[]]$Lines) {
  $note = 'Note: ' + ($Lines -join ([Environment]::NewLine + '      '))
  if (-not $Notes.Contains($note)) { $Notes.Add($note) }
}

function Get-Cause($Failure) { return $Failure.Exception.GetBaseException().Message.TrimEnd() }

function Join-Name { return [IO.Path]::Combine([string[]]$args) }

function Test-File([string]$Path) { return [IO.File]::Exists($Path) }

function Test-Folder([string]$Path) { return [IO.Directory]::Exists($Path) }
