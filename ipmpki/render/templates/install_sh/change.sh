# ---- the change -----------------------------------------------------------------------------------------

is_busy() {   # whether another run that lives holds the lock; sets pid
    pid=''
    [ ! -f "$state/lock" ] || read -r pid <"$state/lock"
    case $pid in
        '' | "$$" | *[!0-9]*) return 1 ;;
        *) kill -s 0 "$pid" 2>/dev/null ;;
    esac
}

leave_to_other() { give_up "another install.sh is at work (process ${pid:-unknown}; if it is none, remove $state/lock)"; }

lock() {   # by ln, which either makes the file whole or finds another's
    make_folder client
    mkdir -p "$state" || no_room "$folder"
    say "$$" >"$state/lock.$$" || no_room "$state"
    ln "$state/lock.$$" "$state/lock" 2>/dev/null || {
        ! is_busy || leave_to_other
        rm -f "$state/lock"       # of a run that was killed
        ln "$state/lock.$$" "$state/lock" || no_room "$state"
    }
    locked=1
    rm -f "$state/lock.$$"
}

make_folder() {   # of area $1; the host's must be open to all to look into, as ipmssl.cfg and ca-cert.pem are
    folder_of "$1"
    levels=0 up=$folder
#% if server
    if is_left; then
        [ -z "$is_there" ] || return 0
        levels=$(there make) || give_up "$account cannot make the folder $folder"
        is_there=1 made="$made $1 $levels"
        return
    fi
#% end
    [ ! -d "$folder" ] || return 0
    until [ -d "$up/" ]; do levels=$((levels + 1)) up=${up%/*}; done
    if [ -n "$for_user" ]; then mkdir -p "$folder"; else (umask 022 && mkdir -p "$folder"); fi ||
        give_up "cannot make the folder $folder"
    made="$made $1 $levels"
}

folders_made() {   # by earlier runs, as the record has them: area and levels, of which old records say nothing
    [ ! -f "$record" ] || awk '$1 == "folder" { print $2, (NF > 2 ? $3 : 1) }' "$record"
}

prepare() {
    next=$state/prepare
    mkdir "$next" "$next/backup" "$next/original" || no_room "$state"
    for area in $areas; do
        mkdir "$next/backup/$area" "$next/original/$area" || no_room "$state"
    done
    while read -r what area name bits kind from; do
        make_folder "$area"
        if stands "$name"; then
            save "$next/backup/$area/$name"
            say "had $area $name" >>"$next/backup/contents" || no_room "$state"
            if is_peoples "$area" "$name" && { [ "$name" != ipmssl.cfg ] || [ -z "$was" ]; }; then
                case $mode in
                    '') save "$next/original/$area/$name" ;;
                    rollback)
                        [ -d "$next/changed" ] || mkdir "$next/changed"
                        save "$next/changed/$area-$name-$(date -u +%Y%m%dT%H%M%SZ)" ;;
                esac
            fi
        else
            say "lacked $area $name" >>"$next/backup/contents" || no_room "$state"
        fi
        if [ "$what" = remove ]; then
            say "$area $name" >>"$next/gone" || no_room "$state"
        else
            stage
        fi
    done <"$work/plan"
    while read -r area name source; do      # the last name, as a path may have blanks
        [ -d "$next/changed" ] || mkdir "$next/changed"
        copy "$source" "$next/changed/$area-$name-$(date -u +%Y%m%dT%H%M%SZ)" || no_room "$state"
    done <"$work/aside"
    [ ! -f "$record" ] || cp -p "$record" "$next/backup/installed" || no_room "$state"
    # shellcheck disable=SC2046,SC2086 # pairs of words
    set -- $made $(folders_made)
    case $mode,$(grep '^file ' "$work/installed") in
        uninstall, | rollback,)      # nothing of install.sh stays
            { true >"$work/installed" && true >"$next/farewell"; } || no_room "$state" ;;
    esac
    while [ $# -gt 1 ]; do
        if [ -f "$next/farewell" ]; then
            say "$1 $2" >>"$next/farewell" || no_room "$state"
        elif ! grep "^folder $1 " "$work/installed" >/dev/null; then
            keep installed "folder $1 $2"
        fi
        shift 2
    done
#% if own_key
    [ -z "$promotes" ] || say "$identity $identity-key.pem" >"$next/backup/promoted" ||
        no_room "$state"
#% end
    [ -z "$promotes$spends" ] || say 'the waiting key waits no more' >"$next/spent" ||
        no_room "$state"
    [ -z "$returns" ] || cp -p "$returns" "$next/waiting-key.pem" || no_room "$state"
    if [ -s "$work/installed" ]; then
        cat "$work/installed" >"$next/installed" || no_room "$state"
    else
        say 'nothing is installed' >"$next/forget" || no_room "$state"
    fi
    [ ! -s "$work/plan" ] || say 'a change was not restarted for' >"$next/restart-due" ||
        no_room "$state"
    case $mode in
        '') name_backup >"$next/stamp" ;;
        rollback) say "${last##*/}" >"$next/used" ;;
    esac || no_room "$state"
}

save() {   # file $name of $folder as $1
#% if server
    if is_left && is_link "$name"; then
        aim=$(there aim "$name")
        ln -s "${aim#*"./$name -> "}" "$1" || give_up "cannot back up $folder/$name"
        return
    fi
#% end
    copy "$seen/$name" "$1" || give_up "cannot back up $folder/$name"
}

copy() {   # a link as a link
    if [ -h "$1" ]; then
        aim_of "$1"
        ln -s "$aim" "$2"
    else
        cp -p "$1" "$2"
    fi
}

name_backup() {   # by a counter, as clocks are set back; the time is for people
    last_backup
    number=${last##*/backup-} number=${number%%-*}
    case $number in
        [0-9][0-9][0-9][0-9][0-9][0-9]) number=$((1$number + 1)) number=${number#1} ;;
        *) number=000001 ;;
    esac
    stamp=backup-$number-$(date -u +%Y%m%dT%H%M%SZ) && say "$stamp"
}

stage() {   # the file as folder/.ipmpki-new/name, with its final owner and mode; only its owner can look in there
    new=$folder/.ipmpki-new
    source_of "$area" "$name" "$from"
#% if server
    if is_left; then hand_over; return; fi
#% end
    [ -d "$new" ] || mkdir "$new" || no_room "$folder"
    if [ -h "$source" ]; then
        copy "$source" "$new/$name" || no_room "$folder"
        return
    fi
    case $bits in
        asis) cp -p "$source" "$new/$name" ;;
        keep) cp -p "$folder/$name" "$new/$name" && cat "$source" >"$new/$name" ;;
        *) cat "$source" >"$new/$name" ;;
    esac || give_up "cannot write $new/$name"
#% if own_key
    [ "$from" != waiting ] || give_away "$new/$name" "$waiting"
#% end
#% if key
    [ "$kind$from" = keywaiting ] || [ "$kind" != key ] || give_away "$new/$name" "$folder/$name"
#% end
    case $bits in
        asis | keep) ;;
        *) chmod "$bits" "$new/$name" || give_up "cannot set the mode of $new/$name" ;;
    esac
    cmp -s "$source" "$new/$name" || give_up "cannot write $new/$name (is the disk full?)"
}

#% if server
hand_over() {   # as stage does, where the work is left to the account whose folder it is
    to=-
    if [ -h "$source" ]; then
        aim_of "$source"
        put_out "$aim" | with_bytes link "$name" || give_up "$account cannot write to $folder"
        return
    fi
    case $bits in
        asis) look_at "$source"; mode_of "$bits_are" ;;
        keep) look_at "$seen/$name"; mode_of "$bits_are" ;;
        *) symbols=$bits ;;
    esac
    if [ "$kind" = key ]; then
        [ -z "$user" ] || [ "$user" = "$account_is" ] ||
            give_up "$folder belongs to $account, and its key is to belong to ${owner%:*}.
To mend it: chown ${owner%:*} $folder, or run install.sh --owner $account"
        to=${group:--}
    fi
    # shellcheck disable=SC2002 # that account gets a pipe, not an open file of root
    cat "$source" | with_bytes write "$name" "$symbols" "$to" || give_up "$account cannot write to $folder"
    there read ".ipmpki-new/$name" | cmp -s - "$source" ||
        give_up "$folder/.ipmpki-new/$name is not what was written there (is the disk full?)"
}

#% end
commit() {
    read -r pid <"$state/lock"
    [ "$pid" = "$$" ] || { locked=''; leave_to_other; }       # two runs took the lock of a dead one at once
    [ -n "$root" ] || sync          # sh has no fsync; after a power cut all must be there, or nothing
    trap '' HUP INT PIPE TERM       # from here on it is quicker to end than to turn back
    mv "$state/prepare" "$state/commit" || no_room "$state"
    put_in_place || {
        put_back
        fail 1 "a file could not be put in place (see above); what had stood here was put back."
    }
    settle
    trap 'stop_short "The change is in place." 5' HUP INT PIPE TERM
}

put_in_place() {   # the files of $state/commit; it, and settle, may be run again from any point
    for area in $areas; do
        folder_of "$area"
#% if server
        if is_left; then there put || return 1; continue; fi
#% end
        [ -d "$folder/.ipmpki-new" ] || continue
        set +f; set -- "$folder/.ipmpki-new"/*; set -f
        { [ ! -f "$1" ] && [ ! -h "$1" ]; } || mv -f "$@" "$folder/" || return 1
        rmdir "$folder/.ipmpki-new"
    done
    [ -f "$state/commit/gone" ] || return 0
    set --
    while read -r area name; do
        folder_of "$area"
#% if server
        if is_left; then there remove "$name" || return 1; continue; fi
#% end
        set -- ${1+"$@"} "$folder/$name"
    done <"$state/commit/gone"
    [ $# -eq 0 ] || rm -f "$@"
}

look_again() {   # what was put must stand there now
#% if server
    look_there
#% end
    while read -r what area name bits kind from; do
        folder_of "$area"
        source_of "$area" "$name" "$from"
        case $what$from in
#% if own_key
            putwaiting | putitself) belong_together "$seen/$identity-cert.pem" "$seen/$name" ;;
#% end
            put*) cmp -s "$source" "$seen/$name" ;;
            *) [ ! -f "$seen/$name" ] ;;
        esac || fail 5 "the change was made, but $folder/$name
is not as it was put there a moment ago: is another program at work?"
    done <"$work/plan"
}
