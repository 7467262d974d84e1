# ---- ipmssl.cfg by example ------------------------------------------------------------------------------

function Find-Sample([string]$Area) {   # the shipped ipmssl.cfg, or nothing
    $sample = $script:ClientSample
    if ($Area -eq 'server') { $sample = $script:ServerSample }
    $inside = $sample.Replace('<install dir>\', '').Replace('\', [string][System.IO.Path]::DirectorySeparatorChar)
    foreach ($folder in @(Get-InstallFolder)) {
        $path = [System.IO.Path]::Combine($folder, $inside)
        if ([System.IO.File]::Exists($path)) { return $path }
    }
    return ''
}

# Sets a keyword on the line where it stands, or on the commented-out line that shows it, in that line's own
# spelling, delimiter and quotes; every other line stays byte for byte.

function Read-SettingLine([string]$Line) {   # a line with its end, taken apart; Word is empty for prose
    $end = [regex]::Match($Line, '\r?\n\z').Value
    $text = $Line.Substring(0, $Line.Length - $end.Length)
    $parts = [pscustomobject]@{
        Line = $Line; End = $end; Indent = ''; Mark = ''; Gap = ''; Word = ''; Delimiter = ''; Value = ''; Tail = ''
    }
    # What is before the keyword is taken whole and not given back, so that '#=' shows no keyword '#'.
    $pattern = '\A(?>(?<indent>[ \t]*)(?<mark>[#;]*)(?<gap>[ \t]*))' +
        '(?<word>[^ \t=:]+)(?<delimiter>[ \t]*[=:][ \t]*|[ \t]*)(?<rest>[\s\S]*)\z'
    $match = [regex]::Match($text, $pattern)
    if (-not $match.Success) {
        $parts.Mark = [regex]::Match($text, '\A[ \t]*([#;]*)').Groups[1].Value
        return $parts
    }
    $parts.Indent = $match.Groups['indent'].Value
    $parts.Mark = $match.Groups['mark'].Value
    $parts.Gap = $match.Groups['gap'].Value
    $parts.Word = $match.Groups['word'].Value
    $parts.Delimiter = $match.Groups['delimiter'].Value
    $rest = $match.Groups['rest'].Value
    if ($rest -match '\A[#;]') {
        $parts.Tail = ' ' + $rest
        return $parts
    }
    # A value in quotes, or one up to the blanks before a comment or the end of the line.
    $match = [regex]::Match($rest, '\A("[^"]*")([\s\S]*)\z')
    if (-not $match.Success) { $match = [regex]::Match($rest, '\A([\s\S]*?)([ \t]+[#;][\s\S]*|[ \t]*)\z') }
    $parts.Value = $match.Groups[1].Value
    $parts.Tail = $match.Groups[2].Value
    return $parts
}

function Test-Word($Line, [string]$Keyword) {
    return $Line.Word.Equals($Keyword, [System.StringComparison]::OrdinalIgnoreCase)
}

function Test-Value($Line, [string]$Value) { return ($Line.Value -replace '\A"([\s\S]*)"\z', '$1').Equals($Value) }

function Measure-Example($Line) {   # how well a commented-out line shows a setting; 0: it is prose
    $one = $Line.Value -notmatch '[ \t]' -or $Line.Value -match '\A"'
    if (-not $one -and -not $Line.Delimiter.Contains('=')) { return 0 }
    $score = 1
    if ($Line.Delimiter -match '[=:]') { $score += 4 }
    if ($one) { $score += 2 }
    if ($Line.Gap -eq '') { $score += 1 }
    return $score
}

function Find-Delimiter([object[]]$Lines, [object[]]$Wanted) {   # what this file puts behind a keyword
    $usual = '='
    foreach ($line in $Lines) {
        if ($line.Delimiter -match '[=:]' -and (Measure-Example $line) -gt 4) { return $line.Delimiter }
    }
    foreach ($line in $Lines) {
        if ($line.Delimiter -eq '' -or (Measure-Example $line) -eq 0) { continue }
        foreach ($want in $Wanted) { if (Test-Word $line $want.Keyword) { $usual = $line.Delimiter } }
    }
    return $usual
}

function Find-CommentMark([object[]]$Lines) {
    foreach ($line in $Lines) { if ($line.Mark -ne '') { return $line.Mark.Substring(0, 1) } }
    return '#'
}

function Set-Line($Line, [string]$Value, [string]$Usual) {
    if ($Line.Delimiter -eq '') { $Line.Delimiter = $Usual }
    elseif ($Line.Value -eq '' -and $Line.Delimiter -match '\A[ \t]+=\z') { $Line.Delimiter += ' ' }
    if ($Line.Value -match '\A"') { $Value = '"' + $Value + '"' }
    $Line.Line = $Line.Indent + $Line.Word + $Line.Delimiter + $Value + $Line.Tail + $Line.End
    $Line.Value = $Value
    $Line.Mark = ''
}

function Set-Keyword([object[]]$Lines, $Want, [string]$Usual, [string]$Path) {
    # False where there is no line to set it on.
    $live = @($Lines | Where-Object { (Test-Word $_ $Want.Keyword) -and $_.Mark -eq '' })
    if ($live.Count -gt 1) {
        $keyword = ConvertFrom-Content $Want.Keyword
        Add-Note @("in $Path,", ($keyword + ' stands ' + $live.Count + ' times; the last one counts.'))
    }
    if ($live.Count -gt 0) {
        if (-not (Test-Value $live[-1] $Want.Value)) { Set-Line $live[-1] $Want.Value $Usual }
        return $true
    }
    $best = 0
    $example = $null
    foreach ($line in $Lines) {
        if ((Test-Word $line $Want.Keyword) -and (Measure-Example $line) -gt $best) {
            $best = Measure-Example $line
            $example = $line
        }
    }
    if ($null -eq $example) { return $false }
    Set-Line $example $Want.Value $Usual
    return $true
}

function Split-Lines([string]$Content) {   # each with its end
    foreach ($match in [regex]::Matches($Content, '[^\n]*\n|[^\n]+')) { $match.Value }
}

function Edit-Settings([string]$Content, [object[]]$Wanted, [string]$Path) {   # the new content
    $lines = @(Split-Lines $Content | ForEach-Object { Read-SettingLine $_ })
    $usual = Find-Delimiter $lines $Wanted
    $mark = Find-CommentMark $lines
    $end = "`r`n"
    if ($lines.Count -gt 0 -and $lines[0].End -ne '') { $end = $lines[0].End }
    $added = ''
    foreach ($want in $Wanted) {
        if ($want.Action -eq 'set') {
            $is_set = Set-Keyword $lines $want $usual $Path
            if (-not $is_set) { $added += $want.Keyword + $usual + $want.Value + $end }
            continue
        }
        foreach ($line in $lines) {   # 'unset' hides the keyword, 'drop' only with the value that was set here
            if ($line.Mark -ne '' -or -not (Test-Word $line $want.Keyword)) { continue }
            if ($want.Action -eq 'unset' -or (Test-Value $line $want.Value)) {
                $line.Line = $mark + $line.Line
                $line.Mark = $mark
            }
        }
    }
    $text = @($lines | ForEach-Object { $_.Line }) -join ''
    if ($added -ne '' -and $text -ne '' -and $text -notmatch '\n\z') { $text += $end }
    return $text + $added
}

function Get-Wanted([string]$Area) {   # what is declared for ipmssl.cfg, and what no longer is
    $declared = @($script:Settings | Where-Object { $_.Area -eq $Area })
    foreach ($setting in $declared) {
        [pscustomobject]@{
            Action = $setting.Action
            Keyword = ConvertTo-Content $setting.Keyword
            Value = ConvertTo-Content (Expand-Variables $setting.Value)
        }
    }
    foreach ($line in @(Read-Lines (Get-StatePath 'installed'))) {
        $what, $area_of, $keyword, $value = $line -split ' ', 4
        if ($what -ne 'set' -or $area_of -ne $Area) { continue }
        if (@($declared | Where-Object { $_.Keyword -eq $keyword }).Count -gt 0) { continue }
        [pscustomobject]@{
            Action = 'drop'
            Keyword = ConvertTo-Content $keyword
            Value = ConvertTo-Content $value
        }
    }
}

function Get-EditedLines([string]$Before, [string]$After) {   # an edit replaces lines or adds some at the end
    $old = @(Split-Lines $Before | ForEach-Object { $_ -replace '\r?\n\z', '' })
    $new = @(Split-Lines $After | ForEach-Object { $_ -replace '\r?\n\z', '' })
    for ($index = 0; $index -lt $new.Count; $index++) {
        if ($index -lt $old.Count) {
            if ($old[$index].Equals($new[$index])) { continue }
            '-' + (ConvertFrom-Content $old[$index])
        }
        '+' + (ConvertFrom-Content $new[$index])
    }
}

function Add-Settings([string]$Area) {
    $path = Get-Target $Area 'ipmssl.cfg'
    # All users must be able to read the client's file and none to write it; the server's stays as it is.
    $rights = $script:PublicFile
    $before = ''
    $start = ''
    $sample = Find-Sample $Area
    if ([System.IO.File]::Exists($path)) {
        $how = 'keywords set'
        $before = Read-Content $path
        if ($Area -eq 'server') { $rights = Read-Rights $path }
    }
    elseif ($sample -ne '') {
        $how = 'from the sample'
        $before = Read-Content $sample
    }
    else {
        $how = 'without a sample to go by'
        $start = "# Made by ipmpki's install.ps1, as there was no sample to go by.`r`n"
        Add-Note @('no sample ipmssl.cfg was found, so the form of', "$path is a guess.")
    }
    $after = Edit-Settings ($start + $before) @(Get-Wanted $Area) $path
    Add-File $Area 'ipmssl.cfg' $after $rights $how @(Get-EditedLines ($start + $before) $after)
    if (@($script:Record | Where-Object { $_.StartsWith("file $Area ipmssl.cfg ") }).Count -eq 0) { return }
    foreach ($setting in $script:Settings) {
        if ($setting.Area -eq $Area -and $setting.Action -eq 'set') {
            $script:Record.Add("set $Area " + $setting.Keyword + ' ' + (Expand-Variables $setting.Value))
        }
    }
}
