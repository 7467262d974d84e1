# ---- recovery, and what is left behind ------------------------------------------------------------------

put_back() {   # after a failure of put_in_place
    while read -r what area name; do
        folder_of "$area"
        if [ "$what" = lacked ]; then
            rm -f "$folder/$name"
        else
            mkdir -p "$folder/.ipmpki-new" &&
                cp -p "$state/commit/backup/$area/$name" "$folder/.ipmpki-new/$name" &&
                mv -f "$folder/.ipmpki-new/$name" "$folder/$name"
        fi
    done <"$state/commit/backup/contents"
    mv "$state/commit" "$state/prepare"
}

settle() {   # what is remembered of the change: originals, backup, record
    done=$state/commit
    for area in $areas; do
        set +f; set -- "$done/original/$area"/*; set -f
        [ ! -f "$1" ] || { mkdir -p "$state/original/$area" && mv -f "$@" "$state/original/$area/"; }
    done
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
        made=$(cat "$done/farewell")
    fi
    mv "$done" "$state/settled"
    rm -rf "$state/settled"
}

interrupted() {   # whether a run was killed here; sets how far it had come
    stage_reached=''
    for area in $areas; do folder_of "$area"; [ ! -d "$folder/.ipmpki-new" ] || stage_reached=prepare; done
    set +f; set -- "$state"/lock*; set -f
    [ ! -e "$1" ] || stage_reached=lock
    for one in settled prepare commit; do [ ! -d "$state/$one" ] || stage_reached=$one; done
    [ -n "$stage_reached" ]
}

recover() {   # from a run that was killed
    case $stage_reached in
        commit)
            say 'An earlier run was interrupted when all was prepared: completing it.'
            put_in_place || fail 1 "the interrupted run cannot be completed: see above."
            settle
            completed=1 ;;
        prepare)
            say 'An earlier run was interrupted before it changed anything: its preparations are thrown away.' ;;
    esac
    discard
}

discard() {
    rm -rf "$state/prepare" "$state/settled"
    set +f; rm -f "$state"/lock.*; set -f
    for area in $areas; do folder_of "$area"; rm -rf "$folder/.ipmpki-new"; done
}

clean_up() {   # at every end; whoever has no lock has changed nothing
    if [ -n "$locked" ]; then
        [ -d "$state/commit" ] || discard
        rm -f "$state/lock"
    fi
    rm -f "$state/lock.$$"
    [ -z "$place" ] || rm -rf "$place/.ipmpki-request"
    rmdir "$state" 2>/dev/null && for area in $made; do folder_of "$area"; rmdir "$folder" 2>/dev/null; done
    rm -rf "$work"
}

stop_short() {   # at a signal
    trap '' HUP INT PIPE TERM
    clean_up
    trap '' 0       # in mksh an exit within a trap that leads to another trap loses its status
    say "install.sh: interrupted. $1" >&2
    exit 1
}
