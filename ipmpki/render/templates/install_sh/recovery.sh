# ---- recovery, and what is left behind ------------------------------------------------------------------

check_state() {   # what is remembered is believed only where nobody else could have written it
    [ -e "$state" ] || [ -h "$state" ] || return 0
    look_at "$state"
    case $bits_are in
        d????-??-?) [ "$user_is" -ne "$uid" ] || return 0; why='it belongs to another account' ;;
        d*) why="mode $bits_are: others may write to it" ;;
        *) why='it is no folder' ;;
    esac
    give_up "$state is not read: $why. To mend it, look who did this, and remove it;
what install.sh put here stays, and the next run takes it for files that were there before"
}

believe() {   # file $2 of the state, as far as there is one, if each line is of form $1
    [ -e "$2" ] || return 0
    [ -f "$2" ] || give_up "$2 is not a file, as install.sh writes it. To mend it, look who did this, and remove it"
    line=$(FORM=$1 KNOWN=" $known " awk '
        function place(a, n) { return (a == "server" || a == "client") && index(ENVIRON["KNOWN"], " " n " ") }
        function area(a) { return place(a, "ipmssl.cfg") }
        function fits() {
            if (form == "record" && $1 == "set") { key = "set " $2 " " $3; return NF > 2 && area($2) }
            key = NF > 3 ? "file " $2 " " $3 : $0
            if (form == "record" && $1 == "folder") return (NF == 2 || NF == 3 && $3 ~ /^[1-9]$/) && area($2)
            if (form == "record") return $1 == "file" && NF == 5 && place($2, $3) && length($4) == 64 &&
                $4 !~ /[^0-9a-f]/ && ($5 == "yes" || $5 == "no")
            if (form == "contents") return ($1 == "had" || $1 == "lacked") && NF == 3 && place($2, $3)
            if (form == "places") return NF == 2 && place($1, $2)
            if (form == "folders") return (NF == 1 || NF == 2 && $2 ~ /^[1-9]$/) && area($1)
            return NF == 1 && NR == 1 && $1 ~ /^backup-[0-9TZ-]+$/
        }
        BEGIN { form = ENVIRON["FORM"] }
        !fits() || seen[key]++ { print NR ": " $0; exit }' "$2")
    [ -z "$line" ] || give_up "$2 is not as install.sh writes it, in line $line
Look who changed it, and mend it, or remove $state:
without that, install.sh takes what it put here for files that were there before"
}

believe_commit() {   # what is left of a run that had decided
    for form in 'contents backup/contents' 'record backup/installed' 'places backup/promoted' 'places gone' \
        'record installed' 'backup stamp' 'backup used' 'folders farewell'; do
        believe "${form% *}" "$state/commit/${form#* }"
    done
}

put_back() {   # after a failure of put_in_place
    while read -r what area name; do
        folder_of "$area"
#% if server
        if is_left; then restore_there; continue; fi
#% end
        if [ "$what" = lacked ]; then
            rm -f "$folder/$name"
        else
            mkdir -p "$folder/.ipmpki-new" &&
                copy "$state/commit/backup/$area/$name" "$folder/.ipmpki-new/$name" &&
                mv -f "$folder/.ipmpki-new/$name" "$folder/$name"
        fi
    done <"$state/commit/backup/contents"
    mv "$state/commit" "$state/prepare"
}

#% if server
restore_there() {
    if [ "$what" = lacked ]; then there remove "$name"; return; fi
    source=$state/commit/backup/$area/$name
    if [ -h "$source" ]; then
        aim_of "$source"
        put_out "$aim" | with_bytes link "$name" && there put
        return
    fi
    look_at "$source"
    mode_of "$bits_are"
    # shellcheck disable=SC2002 # that account gets a pipe, not an open file of root
    cat "$source" | with_bytes write "$name" "$symbols" - && there put
}

#% end
settle() {   # what is remembered of the change: originals, backup, record
    done=$state/commit
    for area in $areas; do
        set +f; set -- "$done/original/$area"/*; set -f
        { [ ! -f "$1" ] && [ ! -h "$1" ]; } || { mkdir -p "$state/original/$area" && mv -f "$@" "$state/original/$area/"; }
    done
    if [ -d "$done/changed" ]; then
        set +f; set -- "$done/changed"/*; set -f
        [ ! -f "$1" ] || { mkdir -p "$state/changed" && mv -f "$@" "$state/changed/"; }
    fi
    if [ -f "$done/stamp" ] && [ -d "$done/backup" ]; then
        read -r stamp <"$done/stamp"
        mv "$done/backup" "$state/$stamp"
    fi
    [ ! -f "$done/restart-due" ] || mv -f "$done/restart-due" "$state/restart-due"
    [ ! -f "$done/installed" ] || mv -f "$done/installed" "$record"
    [ ! -f "$done/forget" ] || rm -f "$record"
    [ ! -f "$done/spent" ] || rm -f "$waiting"
    [ ! -f "$done/waiting-key.pem" ] || mv -f "$done/waiting-key.pem" "$waiting"
    [ ! -f "$done/used" ] || { read -r used <"$done/used"; rm -rf "${state:?}/$used"; }
    if [ -f "$done/farewell" ]; then       # uninstalled: nothing of install.sh stays
        set +f; rm -rf "$state/original" "$state"/backup-* "$state/restart-due"; set -f
        made=$(awk '{ print $1, (NF > 1 ? $2 : 1) }' "$done/farewell")
    fi
    mv "$done" "$state/settled"       # it goes when this run has said what it did
}

interrupted() {   # whether a run was killed here; sets how far it had come
    stage_reached=''
    for area in $areas; do
        folder_of "$area"
#% if server
        if is_left; then there has .ipmpki-new && stage_reached=prepare; continue; fi
#% end
        [ ! -d "$folder/.ipmpki-new" ] || stage_reached=prepare
    done
    set +f; set -- "$state"/lock*; set -f
    [ ! -e "$1" ] || stage_reached=lock
    for one in settled prepare commit; do [ ! -d "$state/$one" ] || stage_reached=$one; done
    [ -n "$stage_reached" ]
}

recover() {   # from a run that was killed
    case $stage_reached in
        commit)
            believe_commit
            say 'An earlier run was interrupted when all was prepared: completing it.'
            [ ! -f "$state/commit/used" ] || rolled_back=1
            put_in_place || fail 5 "the interrupted run cannot be completed (see above): some files are those
of before, some the new ones. Run install.sh again when the cause is mended: it goes on from here."
            settle
            completed=1 ;;
        settled)
            [ "$mode" != rollback ] || [ ! -f "$state/settled/used" ] || rolled_back=1 completed=1 ;;
        prepare)
            say 'An earlier run was interrupted before it changed anything: its preparations are thrown away.' ;;
    esac
    discard
}

rehearse() {   # for --dry-run: the plan as it will be when what an interrupted run had decided is completed
    believe_commit
    say 'An earlier run was interrupted when all was prepared. The next one completes it first:'
    say ''
    { sed 's/^[a-z]* //' "$state/commit/backup/contents"; cat "$state/commit/gone" 2>/dev/null; } | sort -u |
        while read -r area name; do
            folder_of "$area"
            say "  $folder/$name"
        done
    say ''
    rehearsed=1
#% if server
    if [ -n "$account" ]; then       # what is in its folder cannot be tried here
        make_plan
        keep advice "Note: $account completes that in its folder, and what is above is as it is now."
        return
    fi
#% end
    for area in $areas; do
        folder_of "$area"
        mkdir -p "$work/tried${folder#"$root"}" || no_room "$work"
        for name in $known .ipmpki-new .ipmpki; do
            [ ! -e "$folder/$name" ] || cp -pR "$folder/$name" "$work/tried${folder#"$root"}/" ||
                no_room "$work"
        done
    done
    [ ! -f "$state/commit/used" ] || rolled_back=1
    base=$work/tried
    remember_in "$base"
    { put_in_place && settle; } || no_room "$work"
    make_plan
    base=$root
    remember_in "$root"
    for file in words advice; do
        { FROM=$work/tried TO=$root awk '{
            while (i = index($0, ENVIRON["FROM"]))
                $0 = substr($0, 1, i - 1) ENVIRON["TO"] substr($0, i + length(ENVIRON["FROM"]))
            print
        }' "$work/$file" >"$work/part" && cat "$work/part" >"$work/$file"; } || no_room "$work"
    done
}

discard() {
    rm -rf "$state/prepare" "$state/settled"
    set +f; rm -f "$state"/lock.*; set -f
    for area in $areas; do
        folder_of "$area"
#% if server
        if is_left; then there drop; continue; fi
#% end
        rm -rf "$folder/.ipmpki-new"
    done
}

clean_up() {   # at every end; whoever has no lock has changed nothing
    if [ -n "$locked" ]; then
        [ -d "$state/commit" ] || discard
        rm -f "$state/lock"
    fi
    [ ! -f "$state/lock.$$" ] || rm -f "$state/lock.$$"
    [ -z "$place" ] || rm -rf "$place/.ipmpki-request"
    if rmdir "$state" 2>/dev/null; then
        # shellcheck disable=SC2086 # pairs of words
        set -- $made
        while [ $# -gt 1 ]; do take_away "$1" "$2" 2>/dev/null; shift 2; done
    fi
    rm -rf "$work"
}

take_away() {   # the folder of area $1 and those above it that were made with it, $2 in all, as far as they are empty
    folder_of "$1"
    levels=$2 up=$folder
#% if server
    if is_left; then there leave "$2"; return; fi
#% end
    while [ "$levels" -gt 0 ] && rmdir "$up"; do levels=$((levels - 1)) up=${up%/*}; done
}

stop_short() {   # at a signal; $2: the exit status
    trap '' HUP INT PIPE TERM
    clean_up
    trap '' 0       # in mksh an exit within a trap that leads to another trap loses its status
    say "install.sh: interrupted. $1" >&2
    exit "$2"
}
