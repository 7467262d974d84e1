# ---- ipmssl.cfg by example ------------------------------------------------------------------------------
# Sets a keyword on the line where it stands, or on the commented-out line that shows it, in that line's own
# spelling, delimiter and quotes; every other line stays byte for byte. The text is searched for the few lines
# that name a keyword: a function called for each line would take minutes for a large file.

$Lead = '(?m)^(?>(?<indent>[ \t]*)(?<mark>[#;]*)(?<gap>[ \t]*))'
$ByteOrderMark = [string][char]0xEF + [char]0xBB + [char]0xBF     # of UTF-8, before the first line

function Assert-PlainText([string]$Content, [string]$Path) {
    if ($Content.StartsWith([string][char]0xFF + [char]0xFE) -or $Content.StartsWith([string][char]0xFE + [char]0xFF) -or
        $Content.IndexOf([char]0) -ge 0) {
        Stop-Install 1 ("$Path is in UTF-16, or no text at all. Save it as plain text (in Notepad: 'ANSI' or " +
            "'UTF-8'), and run this again.")
    }
}

function Get-KeywordPattern([string]$Keyword) {   # without regard to the case of ASCII letters
    $pattern = ''
    foreach ($character in $Keyword.ToCharArray()) {
        if ($character -match '[A-Za-z]') {
            $pattern += '[' + [char]::ToUpperInvariant($character) + [char]::ToLowerInvariant($character) + ']'
        }
        else { $pattern += [regex]::Escape([string]$character) }
    }
    return $script:Lead + '(?<word>' + $pattern + ')(?=[ \t=:\n]|\r?\n|\r?\z)' +
        '(?<delimiter>[ \t]*[=:][ \t]*|[ \t]*)(?<rest>[^\n]*?)(?<end>\r?\n|\z)'
}

function Find-Lines([string]$Text, [string]$Keyword) {   # those that name it, taken apart
    foreach ($match in [regex]::Matches($Text, (Get-KeywordPattern $Keyword))) {
        $rest = $match.Groups['rest'].Value
        # A value in quotes, or one up to the blanks before a comment or the end of the line.
        $value = ''
        $tail = ''
        if ($rest -match '\A[#;]') { $tail = ' ' + $rest }
        elseif ($rest -match '\A("[^"]*")([\s\S]*)\z' -or
            $rest -match '\A([\s\S]*?)([ \t]+[#;][\s\S]*|[ \t]*)\z') {
            $value = $Matches[1]
            $tail = $Matches[2]
        }
        $delimiter = $match.Groups['delimiter'].Value
        # How well a commented-out line shows a setting; 0: it is prose.
        $one = $value -notmatch '[ \t]' -or $value.StartsWith('"')
        $score = 0
        if ($one -or $delimiter.Contains('=')) {
            $score = 1
            if ($delimiter -match '[=:]') { $score += 4 }
            if ($one) { $score += 2 }
            if ($match.Groups['gap'].Value -eq '') { $score += 1 }
        }
        [pscustomobject]@{
            At = $match.Index; Length = $match.Length; Line = $match.Value; End = $match.Groups['end'].Value
            Indent = $match.Groups['indent'].Value; Mark = $match.Groups['mark'].Value
            Word = $match.Groups['word'].Value; Delimiter = $delimiter; Value = $value; Tail = $tail; Score = $score
        }
    }
}

function Test-Value($Line, [string]$Value) {
    return $Line.Value.Equals($Value) -or ($Line.Value -replace '\A"([^"]*)"\z', '$1').Equals($Value)
}

function Find-Delimiter([string]$Text, [object[]]$Named) {   # what this file puts behind a keyword
    # The first line that shows a sign; one with a colon may be prose, if what follows is more than one word.
    $sign = '(?:=[ \t]*|:[ \t]*(?=[#;"]|[^ \t\r\n]*(?:[ \t]*\r?$|[ \t]+[#;])))'
    $first = [regex]::Match($Text, $script:Lead + '[^ \t=:\r\n]+(?<delimiter>[ \t]*' + $sign + ')')
    if ($first.Success) { return $first.Groups['delimiter'].Value }
    $usual = '='
    foreach ($line in $Named) { if ($line.Delimiter -ne '' -and $line.Score -gt 0) { $usual = $line.Delimiter } }
    return $usual
}

function Find-CommentMark([string]$Text) {
    $first = [regex]::Match($Text, '(?m)^[ \t]*([#;])')
    if ($first.Success) { return $first.Groups[1].Value }
    return '#'
}

function Set-Line($Line, [string]$Value, [string]$Usual) {   # the line as it is to be
    $delimiter = $Line.Delimiter
    if ($delimiter -eq '') { $delimiter = $Usual }
    elseif ($Line.Value -eq '' -and $delimiter -match '\A[ \t]+=\z') { $delimiter += ' ' }
    if ($Line.Value.StartsWith('"')) { $Value = '"' + $Value + '"' }
    return $Line.Indent + $Line.Word + $delimiter + $Value + $Line.Tail + $Line.End
}

function Find-LineToSet([object[]]$Lines, [string]$Path) {   # the last in force, or the best example; else nothing
    $live = @($Lines | Where-Object { $_.Mark -eq '' })
    if ($live.Count -gt 1) {
        $keyword = ConvertFrom-Content $live[-1].Word
        Add-Note @("in $Path,", ($keyword + ' stands ' + $live.Count + ' times; the last one counts.'))
    }
    if ($live.Count -gt 0) { return $live[-1] }
    $best = $null
    foreach ($line in $Lines) {
        if ($line.Score -gt 0 -and ($null -eq $best -or $line.Score -gt $best.Score)) { $best = $line }
    }
    return $best
}

function Edit-Settings([string]$Content, [object[]]$Wanted, [string]$Path) {
    # The new content, and what became of which line, for people.
    Assert-PlainText $Content $Path
    $text = $Content
    $start = ''
    if ($text.StartsWith($script:ByteOrderMark, [StringComparison]::Ordinal)) {
        $start = $script:ByteOrderMark
        $text = $text.Substring(3)
    }
    $found = @{}
    $named = @()
    foreach ($want in $Wanted) {
        $found[$want.Keyword] = @(Find-Lines $text $want.Keyword)
        $named += $found[$want.Keyword]
    }
    $usual = Find-Delimiter $text @($named | Sort-Object { $_.At })
    $mark = Find-CommentMark $text
    $end = "`r`n"
    $newline = $text.IndexOf([char]10)
    if ($newline -ge 0 -and ($newline -eq 0 -or $text[$newline - 1] -ne [char]13)) { $end = "`n" }
    $edits = @()
    $added = @()
    foreach ($want in $Wanted) {
        $lines = $found[$want.Keyword]
        if ($want.Action -eq 'set') {
            $line = Find-LineToSet $lines $Path
            if ($null -eq $line) { $added += $want.Keyword + $usual + $want.Value + $end }
            elseif ($line.Mark -ne '' -or -not (Test-Value $line $want.Value)) {
                $edits += [pscustomobject]@{ At = $line.At; Line = $line; New = Set-Line $line $want.Value $usual }
            }
            continue
        }
        foreach ($line in $lines) {   # 'unset' hides the keyword, 'drop' only with the value that was set here
            if ($line.Mark -eq '' -and ($want.Action -eq 'unset' -or (Test-Value $line $want.Value))) {
                $edits += [pscustomobject]@{ At = $line.At; Line = $line; New = $mark + $line.Line }
            }
        }
    }
    $result = New-Object Text.StringBuilder
    $shown = @()
    $at = 0
    foreach ($edit in @($edits | Sort-Object { $_.At })) {
        [void]$result.Append($text, $at, $edit.At - $at).Append($edit.New)
        $at = $edit.At + $edit.Line.Length
        $shown += '-' + (ConvertFrom-Content $edit.Line.Line).TrimEnd("`r", "`n")
        $shown += '+' + (ConvertFrom-Content $edit.New).TrimEnd("`r", "`n")
    }
    [void]$result.Append($text, $at, $text.Length - $at)
    if ($added.Count -gt 0 -and $result.Length -gt 0 -and $result[$result.Length - 1] -ne [char]10) {
        [void]$result.Append($end)
    }
    foreach ($line in $added) {
        [void]$result.Append($line)
        $shown += '+' + (ConvertFrom-Content $line).TrimEnd("`r", "`n")
    }
    return [pscustomobject]@{ Content = $start + $result.ToString(); Shown = $shown }
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
    foreach ($set in @(Get-RecordedSettings $Area)) {
        if (@($declared | Where-Object { (ConvertTo-Content $_.Keyword) -eq $set.Keyword }).Count -gt 0) { continue }
        $set.Action = 'drop'
        $set
    }
}

function Get-RecordedSettings([string]$Area) {   # what an earlier run set
    foreach ($line in @(Read-Form (Get-RecordPath) 'installed')) {
        $what, $area_of, $keyword, $value = $line -split ' ', 4
        if ($what -eq 'set' -and $area_of -eq $Area) {
            [pscustomobject]@{
                Action = 'set'; Keyword = ConvertTo-Content $keyword; Value = ConvertTo-Content ([string]$value)
            }
        }
    }
}

# What was written into the file since: the lines that an edit had changed go back, wherever they stand now.

function Undo-Edit([string]$Before, [string]$After, [string]$Now) {
    if ($Now.Equals($After)) { return $Before }
    $old = @($Before.Split("`n"))
    $new = @($After.Split("`n"))
    $back = New-Object 'Collections.Generic.Dictionary[string,string]'
    $gone = New-Object 'Collections.Generic.HashSet[string]'
    for ($index = 0; $index -lt $new.Count; $index++) {
        $line = $new[$index].TrimEnd("`r")
        if ($index -ge $old.Count -or ($index -eq $old.Count - 1 -and $old[$index] -eq '')) {
            if ($line -ne '') { [void]$gone.Add($line) }
        }
        elseif (-not $line.Equals($old[$index].TrimEnd("`r"))) { $back[$line] = $old[$index].TrimEnd("`r") }
    }
    $kept = New-Object 'Collections.Generic.List[string]'
    foreach ($piece in $Now.Split("`n")) {
        $line = $piece.TrimEnd("`r")
        if ($back.ContainsKey($line)) {
            $kept.Add($back[$line] + $piece.Substring($line.Length))
            [void]$back.Remove($line)
        }
        elseif (-not $gone.Remove($line)) { $kept.Add($piece) }
    }
    return $kept -join "`n"
}

function Restore-Settings([string]$Area, [string]$Before, [string]$After, [string]$Now) {   # and what else was set here
    $result = Undo-Edit $Before $After $Now
    if ($result.Equals($Before)) { return $result }
    # A line that was respelled by hand is not found again: the keyword is hidden where it has our value still.
    $drops = @(Get-RecordedSettings $Area | Where-Object {
            $set = $_
            @(Find-Lines $Before $set.Keyword | Where-Object { $_.Mark -eq '' -and (Test-Value $_ $set.Value) }).Count -eq 0
        } | ForEach-Object { $_.Action = 'drop'; $_ })
    if ($drops.Count -eq 0) { return $result }
    return (Edit-Settings $result $drops (Get-Target $Area 'ipmssl.cfg')).Content
}

function Get-ShownLines([string]$Before, [string]$After) {   # lines that only one of the two has, for people
    $old = New-Object 'Collections.Generic.HashSet[string]' (, [string[]]@($Before.Split("`n") | ForEach-Object { $_.TrimEnd("`r") }))
    $new = New-Object 'Collections.Generic.HashSet[string]' (, [string[]]@($After.Split("`n") | ForEach-Object { $_.TrimEnd("`r") }))
    foreach ($line in $old) { if (-not $new.Contains($line)) { '-' + (ConvertFrom-Content $line) } }
    foreach ($line in $new) { if (-not $old.Contains($line)) { '+' + (ConvertFrom-Content $line) } }
}
