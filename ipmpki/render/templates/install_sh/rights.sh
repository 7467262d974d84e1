# ---- owners and modes -----------------------------------------------------------------------------------

look_at() {   # sets bits_are, user_is and group_is (numbers) of file $1
    # shellcheck disable=SC2012,SC2046 # there is no stat in POSIX; the first four fields hold no file name
    set -- $(ls -ldn "$1")
    bits_are=${1%[.+@]} user_is=$3 group_is=$4
}

name_owner() {   # sets user_named and group_named of file $1
    # shellcheck disable=SC2012,SC2046 # as in look_at
    set -- $(ls -ld "$1")
    user_named=$3 group_named=$4
}

as_shown() {   # sets bits_want: octal mode $1 as ls shows it
    case $1 in
        600) bits_want=-rw------- ;;
        640) bits_want=-rw-r----- ;;
        *) bits_want=-rw-r--r-- ;;
    esac
}

settle_owner() {   # whose the key shall be: sets user and group as numbers, empty for 'as it is'
    [ "$role" = client ] || [ -n "$owner" ] || owner=$declared_owner
    [ -n "$owner" ] || return 0
    case $own_key$payload in
        1* | *' key '*) ;;
        *) say "Note: there is no key in $here that $owner could own."; return 0 ;;
    esac
    if [ "$uid" -ne 0 ]; then
        say "Note: not run as $superuser, so the key's owner is not set to $owner."
        owner=''
        return 0
    fi
    true >"$work/probe" || give_up "cannot write to $work"
    if chown -- "$owner" "$work/probe" 2>/dev/null; then
        look_at "$work/probe"
        user=$user_is
        case $owner in *:*) group=$group_is ;; esac
    else
        [ -n "$root" ] || give_up "there is no account or group '$owner' here"
        say "Note: there is no account or group '$owner' here, so the key's owner is not set."
        owner=''
    fi
}

key_bits() {   # sets bits of the key in area $1, which takes the place of $2, or comes from there
    bits=600                       # but a group that was asked for may read a client's
    [ "$1" = client ] || return 0
    if [ -n "$owner" ]; then
        [ -z "$group" ] || bits=640
    elif [ -f "$2" ]; then     # nobody said anything: as it was set by hand or last time
        look_at "$2"
        [ "$bits_are" != -rw-r----- ] || bits=640
    fi
}

give_away() {   # key $1 to its owner; where nobody said anything, to that of $2
    [ "$uid" -eq 0 ] || return 0
    if [ -n "$user" ]; then
        chown "$user${group:+:$group}" "$1" || give_up "cannot give ${1##*/} to $owner"
    elif [ -z "$owner" ] && [ -f "$2" ]; then
        look_at "$2"
        chown "$user_is:$group_is" "$1" || give_up "cannot give ${1##*/} to the owner of $2"
    fi
}
