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

# Root opens no path below a folder that another account may change: whoever can swap a folder or a link there
# would choose what root reads, overwrites or gives away. Where such a folder has one owner, the work in it is
# done as that account, by 'there' below, and root has only the bytes, which come and go through pipes.

trusts() {   # whether uid $1 is root's, or one that holds the system's programs, and so root, in its hands
    if [ -z "$trusted" ]; then
        trusted=' 0 '
        for at in / /usr /usr/bin; do look_at "$at"; trusted="$trusted$user_is "; done
    fi
    case $trusted in *" $1 "*) ;; *) return 1 ;; esac
}

aim_of() {   # sets aim: where link $1 leads
    # shellcheck disable=SC2012 # there is no readlink in POSIX
    aim=$(ls -ld "$1")
    aim=${aim#*"$1 -> "}
}

judge() {   # way to file $1: sets keeper, the account that the work there is left to, and fault, why it is left
    keeper='' fault='' walked='' left=$1 hops=0
    [ "$uid" -eq 0 ] || return 0
    while :; do
        at=${walked:-/}
        [ -e "$at" ] || [ -h "$at" ] || return 0
        look_at "$at"
        is=$user_is
        trusts "$is" || { name_owner "$at"; keeper=$user_named; }
        case $bits_are in
            l*)
                [ -z "$keeper" ] || return 0
                hops=$((hops + 1))
                [ "$hops" -lt 32 ] || { fault="$at: a link that leads nowhere" mends="rm $at"; return 0; }
                aim_of "$at"
                walked=${walked%/*} left=$aim/$left
                case $aim in /*) walked='' ;; esac ;;
            d????????[tT]*) ;;       # anybody may add here, and nobody takes away what is another's
            d????w* | d???????w*)
                fault="$at: mode $bits_are: others may write to it" mends="chmod go-w $at"
                return 0 ;;
            d*) [ -z "$keeper" ] || return 0 ;;
            *) return 0 ;;
        esac
        while :; do        # on to the next name
            case $left in
                /*) left=${left#/} ;;
                ./*) left=${left#./} ;;
                '' | .) return 0 ;;
                ../*) left=${left#../} walked=${walked%/*} ;;
                ..) left='' walked=${walked%/*} ;;
                *) break ;;
            esac
        done
        walked=$walked/${left%%/*}
        case $left in */*) left=${left#*/} ;; *) left='' ;; esac
    done
}

#% if left
# What is done in $IPMPKI_FOLDER by the account whose it is; bytes come in and go out.
# shellcheck disable=SC2016 # it is another shell that expands this
hand='
set -fu; umask 077; LC_ALL=C; export LC_ALL; PATH=/usr/bin:/bin; export PATH
set -- $IPMPKI_TASK
new=.ipmpki-new task=$1; shift
at=$IPMPKI_FOLDER levels=0
if [ "$task" = make ]; then
    until [ -d "$at/" ]; do levels=$((levels + 1)) at=${at%/*}; done
    umask 022; mkdir -p "$IPMPKI_FOLDER" && echo $levels; exit
fi
cd "$IPMPKI_FOLDER" || exit 1
case $task in
    look)
        [ -w . ] || echo shut .
        for name in . "$@"; do
            [ ! -h $name ] || echo link $name
            [ ! -d $name ] || what=folder; [ $name != . ] || what=at; [ ! -f $name ] || what=file
            [ ! -e $name ] || { set -- $(ls -ldLn $name); echo $what $name $1 $3 $4; }
        done ;;
    read) [ -f "./$1" ] && exec cat "./$1"; exit 1 ;;
    write)
        [ -d $new ] || mkdir $new || exit 1
        rm -f "$new/$1"; set -C; cat >"$new/$1" || exit 1
        [ -z "$3" ] || [ "$3" = - ] || chgrp "$3" "$new/$1" || exit 1
        chmod "$2" "$new/$1" ;;
    has) [ -d "$1" ] ;;
    aim) ls -ld "./$1" ;;
    link) [ -d $new ] || mkdir $new || exit 1; rm -f "$new/$1"; ln -s "$(cat)" "$new/$1" ;;
    put) [ -d $new ] || exit 0; set +f; set -- $new/*; [ ! -f "$1" ] && [ ! -h "$1" ] || mv -f "$@" . || exit 1; rmdir $new ;;
    remove) rm -f "$@" ;;
    drop) rm -rf $new ;;
    leave)
        rm -rf $new; cd / || exit 1
        while [ $levels -lt $1 ] && rmdir "$at"; do levels=$((levels + 1)) at=${at%/*}; done ;;
esac'

find_su() {   # sets su_way: how this system's su runs a program as $account, whatever shell that account has
    # AIX has no word for the shell; -s is that of Linux, and with -m BSD's su takes the caller's.
    for su_way in '-s /bin/sh' '' -m; do
        # shellcheck disable=SC2086 # none, one or two words
        [ "$(su $su_way "$account" -c 'echo ready' </dev/null 2>/dev/null)" != ready ] || return 0
    done
    give_up "$folder belongs to $account, or may be replaced by it,
so the work there is left to $account; but su cannot run a program as $account (has it a shell?).
To mend it, where nobody but $superuser has to write there: chown $superuser $left_at"
}

there() { with_bytes "$@" </dev/null; }     # that account must not share what this script reads from

with_bytes() {   # the words of a task of $hand, done in $folder by the account it is left to
    # shellcheck disable=SC2016,SC2086 # for that shell to expand, which may be csh; as above
    IPMPKI_TASK="$*" IPMPKI_FOLDER=$folder IPMPKI_HAND=$hand \
        su $su_way "$account" -c 'exec /bin/sh -c "$IPMPKI_HAND"' 2>"$work/su" || {
        set -- $?
        shown <"$work/su" >&2       # of that account's shell, say
        return "$1"
    }
}

#% end
#% if server
look_there() {   # copies what stands in the server's folder, with its owners and modes, to where only root looks
    [ -n "$account" ] || return 0
    folder_of server
    rm -rf "$seen"
    mkdir "$seen" || no_room "$work"
    # shellcheck disable=SC2086 # names without blanks
    there look $known >"$work/looked" 2>/dev/null
    is_there='' shut=''
    while read -r what name bits_are user_is group_is; do
        case $what in
            at)
                is_there=1
                [ "$user_is" = "$account_is" ] || fault="$folder: belongs to another account than
what is above it, which belongs to $account" mends="chown $account $folder"
                case $bits_are in
                    d????w* | d???????w*)
                        fault="$folder: mode $bits_are: others may write to it" mends="chmod go-w $folder" ;;
                esac ;;
            shut) shut=1 ;;
            link) say "$name" >>"$seen/.links" ;;
            folder) mkdir "$seen/$name" ;;
            file)
                rm -f "$work/unread"
                { there read "$name" || say unread >"$work/unread"; } |
                    dd bs=4096 count=16384 >"$seen/$name" 2>"$work/dd"
                [ ! -f "$work/unread" ] || give_up "$account cannot read its file $folder/$name"
                read -r blocks line <"$work/dd"         # whole ones + others
                [ $((${blocks%+*} + ${blocks#*+})) -lt 16384 ] || give_up "$folder/$name is too large"
                mode_of "$bits_are"
                { chown "$user_is:$group_is" "$seen/$name" && chmod "$symbols" "$seen/$name"; } ||
                    no_room "$work" ;;
        esac
    done <"$work/looked"
}

mode_of() {   # sets symbols to a mode as ls shows it, as chmod reads it: u=rw,g=r,o=
    symbols=$(say "$1" | sed 's/^.\(...\)\(...\)\(...\).*/u=\1,g=\2,o=\3/; s/[-ST]//g; s/[st]/x/g')
}

#% end
settle_keepers() {   # who works in which folder; sets fault where nobody can, and mends, the command for that
    for area in $areas; do
        folder_of "$area"
        judge "$folder"
        [ -n "$fault$keeper" ] || is_no_folder "$folder"
#% if server
        [ "$area" = client ] || { account=$keeper account_is=$is left_at=$at keeper=''; }
#% end
        [ -z "$keeper" ] ||
            fault="$at: belongs to $keeper, who could replace what install.sh put or remembers there" \
                mends="chown $superuser $at"
        [ -z "$fault" ] || return 0
    done
#% if server
    [ -n "$account" ] || return 0
    folder_of server
    find_su
    look_there
#% end
}

is_no_folder() {   # sets fault where $1, or the first of those above it that is there, is something else
    up=$1
    until [ -e "$up/" ] || [ -e "$up" ] || [ -h "$up" ] || [ -z "$up" ]; do up=${up%/*}; done
    [ -d "$up/" ] || fault="$up: not a folder, and no link to one" mends="mv $up $up.old"
}

#% if key
settle_owner() {   # whose the key shall be: sets user and group as numbers, empty for 'as it is'
    [ "$role" = client ] || [ -n "$owner" ] || owner=$declared_owner
    [ -n "$owner" ] || return 0
    if [ "$uid" -ne 0 ]; then
        say "Note: not run as $superuser, so the key's owner is not set to $owner."
        owner=''
        return 0
    fi
    true >"$work/probe" || no_room "$work"
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
#% end
