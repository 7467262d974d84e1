# ---- the plan -------------------------------------------------------------------------------------------
# $work/plan is for the machine: 'put AREA NAME MODE KIND SOURCE' or 'remove AREA NAME'. $work/words is for
# people: 'AREA VERB NAME REASON'. $work/installed is the record as it will be.

refuse_odd() {   # what stands there as $1 and is no file
    [ -e "$seen/$1" ] && [ ! -f "$seen/$1" ] || return 0
    what='neither a file nor a folder'
    [ ! -d "$seen/$1" ] || what='a folder, not a file'
    give_up "$folder/$1 is $what. Move it away, and run install.sh again"
}

differs() {   # file $1 of $folder from content $2, mode $3 (or keep), kind $4: sets why
    refuse_odd "$1"
    why=''
    if [ ! -f "$seen/$1" ]; then why=missing
    elif ! cmp -s "$seen/$1" "$2"; then why='other content'
    else
        look_at "$seen/$1"
        as_shown "$3"
        [ "$3" = keep ] || [ "$bits_are" = "$bits_want" ] || blame "mode: $bits_are, not $bits_want"
        name_owner "$seen/$1"
        to=$uid named=''
#% if server
        ! is_left || to=$account_is named=$account
#% end
        [ "$4" != key ] || to=$user named=${owner%:*}
        [ "$3" = keep ] || [ "${to:-$user_is}" -eq "$user_is" ] ||
            blame "owner: $user_named, not ${named:-$(id -un)}"
        [ "$4" != key ] || [ "${group:-$group_is}" = "$group_is" ] ||
            blame "group: $group_named, not ${owner#*:}"
    fi
    [ -n "$why" ]
}

stands() { [ -f "$seen/$1" ] || is_link "$1"; }

is_link() { [ -h "$seen/$1" ] || grep "^$1\$" "$seen/.links" >/dev/null 2>&1; }

blame() { why="${why:+$why; }wrong $1"; }

note_change() {   # area, verb, name, reason
    keep words "$@"
    count=$((count + 1))
}

recorded() { [ -f "$record" ] && grep "^file $1 $2 " "$record" >"$work/line"; }

is_peoples() {   # whether file $2 of area $1 stands there and is not what install.sh put; sets was, if it put one
    was=''
    stands "$2" || return 1
    recorded "$1" "$2" && [ -f "$seen/$2" ] || return 0
    read -r line line line was line <"$work/line"
    sha256_of "$seen/$2"
    [ "$digest" != "$was" ]
}

source_of() {   # sets source: where the new content of file $2 in area $1 is taken from, $3
    case $3 in
        bundle) source=$work/carried/$2 ;;
        edited) source=$work/$1.cfg ;;
        original)
            source=$state/original/$1/$2
            set +f
            for backup in "$source" "$state"/backup-????????T*/"$1/$2" "$state"/backup-??????-*/"$1/$2"; do
                { [ ! -f "$backup" ] && [ ! -h "$backup" ]; } || { source=$backup; break; }
            done
            set -f ;;
        backup) source=$last/$1/$2 ;;
#% if own_key
        waiting) source=$waiting ;;
        itself) source=$seen/$2 ;;
#% end
    esac
}

plan_file() {   # area, name, mode, kind, digest, from, how it comes about
    source_of "$1" "$2" "$6"
    if differs "$2" "$source" "$3" "$4"; then
        verb=replace
        case $mode,$why,$7 in
            verify,*) ;;
            ,missing,*) verb=create why=$7 ;;
            ,'other content',?*)
                why=$7
                [ "$4" = key ] || verb=edit ;;
        esac
        ! is_link "$2" || why="${why:+$why; }it is a symbolic link, whose place a file takes"
        note_change "$1" $verb "$2" "$why"
        keep plan "put $1 $2 $3 $4 $6"
        original=no now=$5
        ! recorded "$1" "$2" || read -r line line line line original <"$work/line"
        if is_peoples "$1" "$2"; then
            # What people wrote is what an uninstall brings back, of ipmssl.cfg line by line: so that is never
            # taken for install.sh's own again.
            if [ "$2" != ipmssl.cfg ] || [ -z "$was" ]; then original=yes; else now=$was; fi
        fi
        keep installed "file $1 $2 $now $original"
    elif recorded "$1" "$2"; then
        cat "$work/line" >>"$work/installed" || no_room "$work"
    fi
}

plan_payload() {
    while read -r area name bits kind digest; do
        [ -n "$name" ] || continue
        folder_of "$area"
#% if key
        [ "$kind" != key ] || key_bits "$area" "$seen/$name"
#% end
        plan_file "$area" "$name" "$bits" "$kind" "$digest" bundle ''
    done <<END
$payload
END
}

plan_farewells() {   # what an earlier run put here and the folder (or, to uninstall, nobody) wants no more
    [ -f "$record" ] || return 0
    while read -r what area name was original; do
        [ "$what" = file ] || continue
        case "$newline$payload$newline$settings" in
            *"$newline$area $name "*) continue ;;
            *"$newline$area set "*) [ "$name" != ipmssl.cfg ] || continue ;;
        esac
#% if own_key
        [ -z "$own_key" ] || [ "$area $name" != "$identity $identity-key.pem" ] || continue
#% end
        folder_of "$area"
        refuse_odd "$name"
        [ ! -f "$seen/$name" ] || plan_farewell
    done <"$record"
}

plan_farewell() {   # of the file that a line of the record, as read, is about
    sha256_of "$seen/$name"
    if [ "$digest" = "$was" ]; then
        if [ "$original" = yes ]; then
            source_of "$area" "$name" original
            [ -f "$source" ] || [ -h "$source" ] || give_up "$folder/$name took the place of another file, which is not in $state any more.
To mend it, put that file in its place by hand, or, if nobody needs it, remove $folder/$name"
            note_change "$area" restore "$name" 'as it was before install.sh'
            keep plan "put $area $name asis plain original"
        else
            note_change "$area" remove "$name" 'put here by install.sh'
            keep plan "remove $area $name"
        fi
    elif [ "$name" = ipmssl.cfg ]; then
        wanted_in "$area"
        source=''
        [ "$original" = no ] || source_of "$area" "$name" original
        { [ -f "$source" ] && [ ! -h "$source" ]; } || source=''       # its maker chose what it shows
        edit "$seen/ipmssl.cfg" "$work/$area.cfg" "$wanted" "$source"
        [ -s "$work/diff" ] || return 0
        note_change "$area" edit "$name" 'changed since; only what install.sh had set goes back'
        show_edit "$area"
        keep plan "put $area $name keep plain edited"
    else
        keep advice "Note: $folder/$name
      was changed since install.sh put it there, and stays."
        if [ "$mode" != uninstall ]; then
            keep installed "file $area $name $was $original"
        elif [ "$original" = yes ]; then
            source_of "$area" "$name" original
            [ -f "$source" ] || [ -h "$source" ] || return 0
            keep aside "$area $name $source"
            keep advice "Note: what had stood there before install.sh stays as a copy in $state/changed."
        fi
    fi
}

last_backup() {   # sets last; of names of another form install.sh takes no notice
    last=''
    set +f      # those that have a time and no number are of an earlier version
    for backup in "$state"/backup-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T* \
        "$state"/backup-[0-9][0-9][0-9][0-9][0-9][0-9]-*; do
        [ ! -d "$backup" ] || last=$backup
    done
    set -f
}

roll_settings_back() {   # in ipmssl.cfg, where people have written since: the other lines stay
    wanted=''
    while read -r what whose keyword setting; do
        [ "$what $whose" != "set $area" ] || wanted="${wanted}drop $keyword $setting$newline"
    done <"$record"
    [ ! -f "$last/installed" ] || while read -r what whose keyword setting; do
        [ "$what $whose" != "set $area" ] || wanted="${wanted}set $keyword $setting$newline"
    done <"$last/installed"
    old=$last/$area/ipmssl.cfg
    { [ -f "$old" ] && [ ! -h "$old" ]; } || old=''
    edit "$seen/ipmssl.cfg" "$work/$area.cfg" "$wanted" "$old"
    [ -s "$work/diff" ] || return 0
    note_change "$area" edit ipmssl.cfg 'changed since; only what install.sh had set goes back'
    show_edit "$area"
    keep plan "put $area ipmssl.cfg keep plain edited"
}

plan_rollback() {
    last_backup
    [ -z "$rolled_back" ] || return 0       # what was interrupted is what was asked for
    [ -n "$last" ] || give_up "there is no backup below $state"
    [ -s "$last/contents" ] || give_up "$last has no list of what it holds, 'contents', so nothing of it is put back.
To mend it, remove that folder: install.sh --rollback then takes the backup before it"
    believe contents "$last/contents"
    believe record "$last/installed"
    believe places "$last/promoted"
    while read -r what area name; do
        folder_of "$area"
        refuse_odd "$name"
        [ "$what" = lacked ] || [ -f "$last/$area/$name" ] || [ -h "$last/$area/$name" ] ||
            give_up "$last is not whole: $area/$name, which its list names, is missing.
To mend it, put that file back, or remove that folder: install.sh --rollback then takes the backup before it"
        if is_peoples "$area" "$name"; then
            if [ "$name" = ipmssl.cfg ] && [ -n "$was" ]; then roll_settings_back; continue; fi
            keep advice "Note: $folder/$name was changed since
      install.sh put it there; a copy of it stays in $state/changed."
        fi
        if [ "$what" = had ]; then
            note_change "$area" restore "$name" 'as it was before the last change'
            keep plan "put $area $name asis plain backup"
        elif [ -f "$seen/$name" ]; then
            note_change "$area" remove "$name" 'was not there before the last change'
            keep plan "remove $area $name"
        fi
    done <"$last/contents"
    [ ! -f "$last/installed" ] || cat "$last/installed" >"$work/installed" || no_room "$work"
    [ -f "$last/promoted" ] || return 0
    read -r area name <"$last/promoted"
    folder_of "$area"
    if [ ! -f "$seen/$name" ]; then return 0
    elif [ -f "$waiting" ]; then
        keep advice "Note: the $name that goes is kept nowhere else, as a newer key waits in
      $waiting."
    else
        returns=$seen/$name
        keep advice "Note: the $name that goes waits again for its certificate to be installed, in
      $waiting."
    fi
}

look_over() {   # for --verify, and after a change: what comparing with the folder's files does not show
    folder_of client
    if [ -d "$folder" ]; then
        look_at "$folder/."
        case $for_user,$bits_are in
            ,d??????r-x | 1,d????-??-?) ;;
            ,*)
                note_change client find . "mode $bits_are: users must be able to look into it, and not to write"
                keep next "Next: chmod 755 $folder" ;;
            *)
                note_change client find . "mode $bits_are: others may write to it"
                keep next "Next: chmod go-w $folder" ;;
        esac
    fi
    [ -n "$openssl" ] ||
        keep advice "Note: without openssl here, nobody looked whether a certificate has expired."
    check_dates client ca-cert.pem
    [ -n "$identity" ] || return 0
    check_dates "$identity" "$identity-cert.pem"
    # A key of the host's own was held against the certificate of this folder.
    [ -z "$own_key" ] && [ -f "$seen/$identity-cert.pem" ] && [ -f "$seen/$identity-key.pem" ] || return 0
    belong_together "$seen/$identity-cert.pem" "$seen/$identity-key.pem" ||
        note_change "$identity" find "$identity-key.pem" "does not belong to $identity-cert.pem"
}

check_dates() {   # area, name
    folder_of "$1"
    [ -f "$seen/$2" ] && [ -n "$openssl" ] || return 0
    "$openssl" x509 -in "$seen/$2" -noout -checkend 0 >/dev/null 2>&1 || {
        note_change "$1" find "$2" expired
        ! cmp -s "$seen/$2" "$work/carried/$2" || keep next "Next: run 'ipmpki build' where pki.toml is, and carry the new folder of this host here:
      $2 of this one has expired, too."
    }
    begins=$("$openssl" x509 -in "$seen/$2" -noout -startdate 2>/dev/null)
    # notBefore=Jan  2 03:04:05 2026 GMT
    begins=$(say "${begins#*=}" | awk '{ gsub(":", "", $3)
        printf "%04d%02d%02d%s", $4, (index("JanFebMarAprMayJunJulAugSepOctNovDec", $1) + 2) / 3, $2, $3 }')
    case $begins in *[!0-9]* | '') return 0 ;; esac
    # As text: the numbers are too large for some shells.
    [ "$(date -u "+%Y%m%d%H%M%S$newline$begins" | sort | tail -n 1)" != "$begins" ] ||
        {
            note_change "$1" find "$2" "not valid yet: see the clock, which says $(date -u +%Y-%m-%dT%H:%M:%SZ)"
            keep next "Next: set the clock of this host right, or wait until $2 is valid."
        }
}

make_plan() {
    for name in words plan installed advice next aside; do
        true >"$work/$name" || no_room "$work"
    done
    count=0 promotes='' returns='' spends='' stuck=''
#% if server
    look_there
#% end
    believe record "$record"
    if [ "$mode" = rollback ]; then plan_rollback; else plan_anew; fi
    [ "$mode" = verify ] || [ "$count" -eq 0 ] || refuse_shut
}

refuse_shut() {   # what nobody can write to, root included, is found before the change
    for area in $areas; do
        folder_of "$area"
        [ "$area" = client ] || grep "^[a-z]* $area " "$work/plan" >/dev/null || continue
        at=$folder
#% if server
        ! is_left || { [ -z "$shut" ] || refuse_to_write "$at cannot be written to"; continue; }
#% end
        until [ -d "$at/" ]; do at=${at%/*}; done
        # The shell's own test may look at the mode alone.
        env test -w "${at:-/}" || refuse_to_write "${at:-/} cannot be written to"
    done
    [ "$uid" -eq 0 ] || return 0      # who owns the folder may replace what he may not write to
    while read -r what area name line; do
        folder_of "$area"
#% if server
        ! is_left || continue
#% end
        [ ! -f "$folder/$name" ] || [ -h "$folder/$name" ] || env test -w "$folder/$name" ||
            refuse_to_write "$folder/$name cannot be replaced"
    done <"$work/plan"
}

refuse_to_write() {
    give_up "$1. To mend it, see whether it is mounted
read-only, or immutable (lsattr on Linux, ls -lO on macOS)"
}

plan_anew() {
    plan_payload
#% if own_key
    [ -z "$own_key" ] || plan_own_key
#% end
    if [ -n "$own_key" ] || [ ! -f "$waiting" ]; then :
    elif [ "$mode" = uninstall ]; then
        note_change client remove .ipmpki/waiting-key.pem 'made here by install.sh --new-key'
        spends=1
    else
        keep advice "Note: a key that --new-key made waits in $waiting.
      Nothing in this folder needs it: remove it when you please."
    fi
    for area in $areas; do
        case "$newline$settings" in *"$newline$area "*) plan_settings "$area" ;; esac
    done
    plan_farewells
    [ "$mode" = uninstall ] && [ "$count" -eq 0 ] || return 0
    set +f; set -- "$state"/*; set -f
    for one do
        case ${one##*/} in '*' | lock* | changed | prepare | commit | settled) continue ;; esac
        # Originals and backups without a record: nobody can tell what is to go and what is to come back.
        [ -s "$record" ] || [ "${one##*/}" = restart-due ] || give_up "$record is missing or empty, so nobody can tell
what install.sh put here. To mend it, put it back; or look through $state for files of yours, and remove it"
        note_change client remove .ipmpki 'what install.sh remembered'
        return
    done
}
