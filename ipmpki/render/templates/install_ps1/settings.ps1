# ---- ipmssl.cfg by example ------------------------------------------------------------------------------
# Sets a keyword on the line where it stands, or on the commented-out line that shows it, in that line's own
# spelling, delimiter and quotes; every other line stays byte for byte. The text is searched for the few lines
# that name a keyword: a function called for each line would take minutes for a large file.

$ByteOrderMark = [string][char]0xEF + [char]0xBB + [char]0xBF     # of UTF-8, before the first line

function Assert-PlainText([string]$Content, [string]$Path) {
  if ($Content.StartsWith([string][char]0xFF + [char]0xFE) -or $Content.StartsWith([string][char]0xFE + [char]0xFF) -or
    $Content.IndexOf([char]0) -ge 0) {
    Stop-Install 1 ("$Path is in UTF-16, or no text at all. Save it as plain text (in Notepad: 'ANSI' or " +
      "'UTF-8'), and run this again.")
  }
}

function Get-KeywordPattern([string]$Keyword) {   # without regard to the case of ASCII letters
  $letters = foreach ($character in $Keyword.ToCharArray()) {
    if ($character -notmatch '[A-Za-z]') { [regex]::Escape([string]$character); continue }
    '[' + [char]::ToUpperInvariant($character) + [char]::ToLowerInvariant($character) + ']'
  }
  return '(?<word>' + ($letters -join '') + ')(?=[ \t=:\n]|\r?\n|\r?\z)'
}

# A line begins in force, or as a comment with or without a gap behind its mark. Behind the keyword comes a sign,
# or nothing but blanks; then one word, or more, up to a comment or the end.
$InForce = '(?m)^(?<indent>[ \t]*)(?<mark>)'
$Tight = '(?m)^(?<indent>[ \t]*)(?<mark>[#;]+)'
$Loose = $Tight + '[ \t]+'
$Sign = '(?<delimiter>[ \t]*[=:][ \t]*)'
$Blanks = '(?<delimiter>[ \t]*)(?![ \t=:])'
$OneWord = '(?=["#;]|[^ \t\r\n]*(?:[ \t]*\r?$|[ \t]+[#;]))'
$Rest = '(?<rest>[^\n]*?)(?<end>\r?\n|\r?\z)'

function ConvertTo-Line($Match) {
  $rest_of = $Match.Groups['rest'].Value
  $value = ''
  $tail = ''
  # A value in quotes, or one up to the blanks before a comment or the end of the line.
  if ($rest_of -match '\A[#;]') { $tail = ' ' + $rest_of }
  elseif ($rest_of -match '\A("[^"]*")([\s\S]*)\z' -or $rest_of -match '\A([\s\S]*?)([ \t]+[#;][\s\S]*|[ \t]*)\z') {
    $value = $Matches[1]
    $tail = $Matches[2]
  }
  return [pscustomobject]@{
    At = $Match.Index; Length = $Match.Length; Line = $Match.Value; End = $Match.Groups['end'].Value
    Indent = $Match.Groups['indent'].Value; Mark = $Match.Groups['mark'].Value
    Word = $Match.Groups['word'].Value; Delimiter = $Match.Groups['delimiter'].Value; Value = $value; Tail = $tail
  }
}

function Find-InForce([string]$Text, [string]$Keyword) {
  return , [regex]::Matches($Text, $InForce + (Get-KeywordPattern $Keyword) +
    '(?<delimiter>[ \t]*[=:][ \t]*|[ \t]*)' + $Rest)
}

function Find-Example([string]$Text, [string]$Keyword) {   # the commented-out line that shows it best; prose does not
  $word = Get-KeywordPattern $Keyword
  $many = '(?<delimiter>[ \t]*=[ \t]*)'
  foreach ($form in @(
      ($Tight + $word + $Sign + $OneWord), ($Loose + $word + $Sign + $OneWord),
      ($Tight + $word + $many), ($Loose + $word + $many),
      ($Tight + $word + $Blanks + $OneWord), ($Loose + $word + $Blanks + $OneWord)
    )) {
    $found = [regex]::Match($Text, $form + $Rest)
    if ($found.Success) { return ConvertTo-Line $found }
  }
  return $null
}

function Test-Value($Line, [string]$Value) {
  return $Line.Value.Equals($Value) -or ($Line.Value -replace '\A"([^"]*)"\z', '$1').Equals($Value)
}

function Find-Delimiter([string]$Text, [object[]]$Wanted) {
  # The first line that shows a sign; one with a colon may be prose, if what follows is more than one word.
  $first = [regex]::Match($Text, '(?m)^(?>[ \t]*[#;]*[ \t]*)[^ \t=:\r\n]+' +
    '(?<delimiter>[ \t]*(?:=[ \t]*|:[ \t]*' + $OneWord + '))')
  if ($first.Success) { return $first.Groups['delimiter'].Value }
  $usual = '='
  $at = -1
  foreach ($want in $Wanted) {   # else the blanks behind the last keyword
    $shown = [regex]::Matches($Text, '(?m)^[ \t]*[#;]*[ \t]*' + (Get-KeywordPattern $want.Keyword) +
      '(?<delimiter>[ \t]+)' + $OneWord)
    if ($shown.Count -eq 0 -or $shown[$shown.Count - 1].Index -lt $at) { continue }
    $at = $shown[$shown.Count - 1].Index
    $usual = $shown[$shown.Count - 1].Groups['delimiter'].Value
  }
  return $usual
}

function Find-CommentMark([string]$Text) {
  $first = [regex]::Match($Text, '(?m)^[ \t]*([#;])')
  if ($first.Success) { return $first.Groups[1].Value }
  return '#'
}

function Set-Line($Line, [string]$Value, [string]$Usual) {
  $delimiter = $Line.Delimiter
  if ($delimiter -eq '') { $delimiter = $Usual }
  elseif ($Line.Value -eq '' -and $delimiter -match '\A[ \t]+=\z') { $delimiter += ' ' }
  if ($Line.Value.StartsWith('"')) { $Value = '"' + $Value + '"' }
  return $Line.Indent + $Line.Word + $delimiter + $Value + $Line.Tail + $Line.End
}

function Find-LineToSet([string]$Text, [string]$Keyword, [string]$Path) {   # the last in force, or the best example
  $live = Find-InForce $Text $Keyword
  if ($live.Count -eq 0) { return Find-Example $Text $Keyword }
  if ($live.Count -gt 1) {
    Add-Note @("in $Path,", ((ConvertFrom-Content $live[0].Groups['word'].Value) + ' stands ' + $live.Count +
        ' times; the last one counts.'))
  }
  return ConvertTo-Line $live[$live.Count - 1]
}

function Edit-Settings([string]$Content, [object[]]$Wanted, [string]$Path) {
  # The new content, and what became of which line, for people.
  Assert-PlainText $Content $Path
  $text = $Content
  $start = ''
  if ($text.StartsWith($ByteOrderMark, [StringComparison]::Ordinal)) {
    $start = $ByteOrderMark
    $text = $text.Substring(3)
  }
  $usual = Find-Delimiter $text $Wanted
  $mark = Find-CommentMark $text
  $end = "`n"
  if ($text -match '\A[^\n]*\r\n') { $end = "`r`n" }
  $edits = @()
  $added = @()
  foreach ($want in $Wanted) {
    if ($want.Action -eq 'set') {
      $line = Find-LineToSet $text $want.Keyword $Path
      if ($null -eq $line) { $added += $want.Keyword + $usual + $want.Value + $end }
      elseif ($line.Mark -ne '' -or -not (Test-Value $line $want.Value)) {
        $edits += [pscustomobject]@{ At = $line.At; Line = $line; New = Set-Line $line $want.Value $usual }
      }
      continue
    }
    foreach ($match in (Find-InForce $text $want.Keyword)) {   # 'unset' hides the keyword, 'drop' only with our value
      $line = ConvertTo-Line $match
      if ($want.Action -eq 'unset' -or (Test-Value $line $want.Value)) {
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
  $declared = @($Settings | Where-Object { $_.Area -eq $Area })
  foreach ($setting in $declared) {
    [pscustomobject]@{
      Action = $setting.Action
      Keyword = ConvertTo-Content $setting.Keyword
      Value = ConvertTo-Content (Expand-Variables $setting.Value)
    }
  }
  foreach ($set in @(Get-RecordedSettings $Area)) {
    if ($declared | Where-Object { (ConvertTo-Content $_.Keyword) -eq $set.Keyword }) { continue }
    $set.Action = 'drop'
    $set
  }
}

function Get-RecordedSettings([string]$Area) {
  foreach ($line in @(Read-Record)) {
    $what, $area_of, $keyword, $value = $line -split ' ', 4
    if ($what -eq 'set' -and $area_of -eq $Area) {
      [pscustomobject]@{
        Action = 'set'; Keyword = ConvertTo-Content $keyword; Value = ConvertTo-Content ([string]$value)
      }
    }
  }
}

# What was written into the file since: the lines that an edit had changed go back, wherever they stand now.

function Get-Occurrence([string]$Line, $Times) {
  $count = 0
  if ($Times.ContainsKey($Line)) { $count = $Times[$Line] }
  $Times[$Line] = $count + 1
  return "$count $Line"
}

function Undo-Edit([string]$Before, [string]$After, [string]$Now) {
  if ($Now.Equals($After)) { return $Before }
  $old = @($Before.Split("`n"))
  $new = @($After.Split("`n"))
  # By the line and how often it stood above, as two lines may have become alike.
  $back = New-Object 'Collections.Generic.Dictionary[string,string]'
  $gone = New-Object 'Collections.Generic.HashSet[string]'
  $times = New-Object 'Collections.Generic.Dictionary[string,int]'
  for ($index = 0; $index -lt $new.Count; $index++) {
    $line = $new[$index].TrimEnd("`r")
    $which = Get-Occurrence $line $times
    if ($index -ge $old.Count -or ($index -eq $old.Count - 1 -and $old[$index] -eq '')) {
      if ($line -ne '') { [void]$gone.Add($which) }
    }
    elseif (-not $line.Equals($old[$index].TrimEnd("`r"))) { $back[$which] = $old[$index].TrimEnd("`r") }
  }
  $times.Clear()
  $kept = New-Object 'Collections.Generic.List[string]'
  foreach ($piece in $Now.Split("`n")) {
    $line = $piece.TrimEnd("`r")
    $which = Get-Occurrence $line $times
    if ($back.ContainsKey($which)) { $kept.Add($back[$which] + $piece.Substring($line.Length)) }
    elseif (-not $gone.Contains($which)) { $kept.Add($piece) }
  }
  return $kept -join "`n"
}

function Restore-Settings([string]$Area, [string]$Before, [string]$After, [string]$Now) {   # and what else was set here
  $result = Undo-Edit $Before $After $Now
  if ($result.Equals($Before)) { return $result }
  # A line that was respelled by hand is not found again: the keyword is hidden where it has our value still.
  $drops = @(foreach ($set in @(Get-RecordedSettings $Area)) {
      if ((Find-InForce $Before $set.Keyword) | Where-Object { Test-Value (ConvertTo-Line $_) $set.Value }) { continue }
      $set.Action = 'drop'
      $set
    })
  if ($drops.Count -eq 0) { return $result }
  return (Edit-Settings $result $drops (Get-Target $Area 'ipmssl.cfg')).Content
}

function Get-ShownLines([string]$Before, [string]$After) {   # lines that only one of the two has, for people
  $old = @($Before.Split("`n") | ForEach-Object { $_.TrimEnd("`r") })
  $new = @($After.Split("`n") | ForEach-Object { $_.TrimEnd("`r") })
  $known = New-Object 'Collections.Generic.HashSet[string]' (, [string[]]$new)
  foreach ($line in $old) { if ($known.Add($line)) { '-' + (ConvertFrom-Content $line) } }
  $known = New-Object 'Collections.Generic.HashSet[string]' (, [string[]]$old)
  foreach ($line in $new) { if ($known.Add($line)) { '+' + (ConvertFrom-Content $line) } }
}
