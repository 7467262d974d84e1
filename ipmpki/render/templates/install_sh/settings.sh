# ---- ipmssl.cfg by example ------------------------------------------------------------------------------
# Sets a keyword on the line where it stands, or on the commented-out line that shows it, in that line's own
# spelling, delimiter and quotes; every other line stays byte for byte.

edit() {   # edit IN OUT WANTED [OLD]: lines 'set KEYWORD VALUE', 'unset KEYWORD', 'drop KEYWORD VALUE'
    # What is dropped gets the value that it has in the file OLD, where it is in force there.
    for file in notes diff; do true >"$work/$file" || no_room "$work"; done
    # shellcheck disable=SC2094 # both read
    tr -d '\000' <"$1" | cmp -s - "$1" || give_up "$cfg holds NUL bytes, as a file saved
as UTF-16 ('Unicode') does. To mend it, save it as plain text or UTF-8, and run install.sh again"
    final=$(tail -c 1 "$1")          # empty when the file ends with a newline
    OLD=${4:-} WANTED=$3 FINAL=$final NOTES=$work/notes DIFF=$work/diff awk '
    function parse(i,    s) {
        s = line[i]; cr[i] = ""
        if (s ~ /\r$/) { cr[i] = "\r"; s = substr(s, 1, length(s) - 1) }
        match(s, /^[ \t]*/); indent[i] = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1)
        match(s, /^[#;]*/); mark[i] = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1)
        match(s, /^[ \t]*/); gap[i] = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1)
        if (!match(s, /^[^ \t=:]+/)) { word[i] = ""; return }
        word[i] = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1)
        if (!match(s, /^[ \t]*[=:][ \t]*/)) match(s, /^[ \t]*/)
        delimiter[i] = substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1)
        tail[i] = ""
        if (match(s, /^"[^"]*"/)) { tail[i] = substr(s, RLENGTH + 1); s = substr(s, 1, RLENGTH) }
        else if (match(s, /^[#;]/)) { tail[i] = " " s; s = "" }
        else if (match(s, /[ \t]+[#;].*$/) || match(s, /[ \t]+$/)) {
            tail[i] = substr(s, RSTART); s = substr(s, 1, RSTART - 1)
        }
        value[i] = s
    }
    function bare(s) { return s ~ /^".*"$/ ? substr(s, 2, length(s) - 2) : s }
    function shows(i,    one, sign) {      # how well commented-out line i shows a setting; 0: it is prose
        one = value[i] !~ /[ \t]/ || value[i] ~ /^"/
        sign = delimiter[i] ~ /[=:]/
        if (!one && delimiter[i] !~ /=/) return 0
        return 1 + 4 * sign + 2 * one + (gap[i] == "")
    }
    function write(i, new) {
        if (delimiter[i] == "") delimiter[i] = usual
        else if (value[i] == "" && delimiter[i] ~ /^[ \t]+=$/) delimiter[i] = delimiter[i] " "
        if (value[i] ~ /^"/) new = "\"" new "\""
        line[i] = indent[i] word[i] delimiter[i] new tail[i] cr[i]
        value[i] = new; mark[i] = ""
    }
    function hide(i) { line[i] = sign_of_comment line[i]; mark[i] = sign_of_comment }
    function show(sign, s) { sub(/\r$/, "", s); print sign s >ENVIRON["DIFF"] }
    # A byte order mark of UTF-8 stays in front of the first keyword, and is no part of it.
    NR == 1 && substr($0, 1, 3) == "\357\273\277" { mark_of_order = substr($0, 1, 3); $0 = substr($0, 4) }
    { line[NR] = before[NR] = $0 }
    END {
        whole = ENVIRON["FINAL"] == ""
        n = NR == 1 && !whole && line[1] == "" ? 0 : NR      # nothing but the mark
        for (i = 1; ENVIRON["OLD"] != "" && (getline line[0] <ENVIRON["OLD"]) > 0; i++) {
            if (i == 1 && substr(line[0], 1, 3) == "\357\273\277") line[0] = substr(line[0], 4)
            parse(0)
            if (mark[0] == "" && word[0] != "") old[tolower(word[0])] = value[0]
        }
        for (i = 1; i <= n; i++) {
            parse(i)
            if (usual == "" && delimiter[i] ~ /[=:]/ && shows(i) > 4) usual = delimiter[i]
            if (sign_of_comment == "" && mark[i] != "") sign_of_comment = substr(mark[i], 1, 1)
        }
        if (sign_of_comment == "") sign_of_comment = "#"
        usual_end = n > 1 || whole ? cr[1] : ""
        wants = split(ENVIRON["WANTED"], want, "\n")
        if (usual == "") for (i = 1; i <= n; i++) for (w = 1; w <= wants; w++) {
            split(want[w], part, " ")
            if (tolower(word[i]) == tolower(part[2]) && delimiter[i] != "" && shows(i)) usual = delimiter[i]
        }
        if (usual == "") usual = "="
        for (w = 1; w <= wants; w++) {
            if (split(want[w], part, " ") < 2) continue
            action = part[1]; key = part[2]; new = substr(want[w], length(action) + length(key) + 3)
            live = times = best = 0
            for (i = 1; i <= n; i++) {
                if (tolower(word[i]) != tolower(key)) continue
                if (mark[i] == "") {
                    live = i; times++
                    if (action == "drop" && bare(value[i]) == new && tolower(key) in old)
                        write(i, bare(old[tolower(key)]))
                    else if (action == "unset" || (action == "drop" && bare(value[i]) == new)) hide(i)
                } else if (shows(i) > best) { best = shows(i); example = i }
            }
            if (action != "set") continue
            if (times > 1) print key " stands " times " times; the last one counts" >ENVIRON["NOTES"]
            if (live) { if (bare(value[live]) != new) write(live, new) }
            else if (best) write(example, new)
            else { added++; extra[added] = key usual new usual_end }
        }
        printf "%s", mark_of_order
        for (i = 1; i <= n; i++) {
            if (i == n && !whole && added && cr[i] == "") line[i] = before[i] = line[i] usual_end
            printf "%s%s", line[i], (i < n || whole || added ? "\n" : "")
            if (line[i] == before[i]) continue
            if (i == 1 || line[i - 1] == before[i - 1]) show("@@ line " i " @@", "")
            show("-", before[i]); show("+", line[i])
        }
        if (added && line[n] == before[n]) show("@@ line " n + 1 " @@", "")
        for (i = 1; i <= added; i++) { printf "%s\n", extra[i]; show("+", extra[i]) }
    }' "$1" >"$2" || give_up "awk could not edit $1"
    # Not every awk says that the disk was full. An edit takes no line away.
    [ $(($(wc -l <"$2"))) -ge $(($(wc -l <"$1"))) ] || give_up "awk could not edit $1"
}

wanted_in() {   # sets wanted for the ipmssl.cfg of area $1: what is declared, less what was declared before
    wanted=''
    while read -r whose action keyword setting; do
        [ "$whose" != "$1" ] || wanted="$wanted$action $keyword $setting$newline"
    done <<END
$settings
END
    [ -f "$record" ] || return 0
    declared=$newline$(say "$settings" | tr '[:upper:]' '[:lower:]')
    while read -r action whose keyword setting; do
        [ "$action $whose" = "set $1" ] || continue
        spelt=$(say "$keyword" | tr '[:upper:]' '[:lower:]')
        case $declared in
            *"$newline$1 set $spelt "* | *"$newline$1 unset $spelt "*) ;;
            *) wanted="${wanted}drop $keyword $setting$newline" ;;
        esac
    done <"$record"
}

plan_settings() {   # area
    folder_of "$1"
    from=$seen/ipmssl.cfg how='keywords set'
    if [ ! -f "$from" ]; then
        from=$sample how='from the sample'
        judge "$sample"
        if [ -n "$fault$keeper" ]; then
            keep advice "Note: the sample $sample was not read, as others could put
      something else there: ${fault:-$at belongs to $keeper}."
            from=''
        fi
        if [ ! -f "$from" ]; then
            from=$work/none how='without a sample to go by'
            say "# Made by ipmpki's install.sh, as there was no sample at ${sample#"$root"} to go by." >"$from"
            keep advice "Note: there is no sample at $sample,
      so the form of $cfg is a guess."
        fi
    fi
    wanted_in "$1"
    edit "$from" "$work/$1.cfg" "$wanted"
    [ "$from" != "$work/none" ] || sed 's/^/+/' "$work/$1.cfg" >"$work/diff"
    while read -r line; do
        keep advice "Note: in $cfg,
      $line."
    done <"$work/notes"
    # All users must be able to read the client's file and none to write it; the server's stays as it is.
    bits=644
    [ "$1" = client ] || [ ! -f "$seen/ipmssl.cfg" ] || bits=keep
    sha256_of "$work/$1.cfg"
    plan_file "$1" ipmssl.cfg $bits plain "$digest" edited "$how"
    show_edit "$1"
    grep "^file $1 ipmssl.cfg " "$work/installed" >/dev/null || return 0
    while read -r area action keyword setting; do
        [ "$area $action" != "$1 set" ] || keep installed "set $area $keyword $setting"
    done <<END
$settings
END
}

show_edit() { shown <"$work/diff" | sed "s/^/$1 | /" >>"$work/words" || no_room "$work"; }
