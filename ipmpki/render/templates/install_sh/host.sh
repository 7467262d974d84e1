# ---- this host, and where things stand on it ------------------------------------------------------------

is_this_host() {   # by name or alias, without case; a name without domain stands for any domain
    for actual in $({ hostname 2>/dev/null; uname -n; } | tr '[:upper:]' '[:lower:]'); do
        actual=${actual%.}
        case $actual in *.local | *.localdomain) actual=${actual%%.*} ;; esac
        for name in $names; do
            [ "$actual" != "$name" ] || return 0
            case $actual in *.*) case $name in *.*) continue ;; esac ;; esac
            [ "${actual%%.*}" != "${name%%.*}" ] || return 0
        done
    done
    return 1
}

check_host() {   # sets wrong_host where this is another one and it matters
    wrong_host=''
    ! is_this_host || return 0
    other="this is $(uname -n), and the folder was made for $host"
    if [ -n "$force$root" ]; then say "Note: $other."
    elif [ "$mode" = verify ]; then wrong_host=$other
    else fail 3 "$other. Nothing was changed; --force installs nevertheless."; fi
}

remember_in() {   # below $1: sets state, and the files in it
    state=$1$client_folder/.ipmpki
    record=$state/installed waiting=$state/waiting-key.pem
}

folder_of() {   # sets folder, sample and cfg for area $1, and seen, the folder or what was seen in it
    case $1 in
        server) folder=$base$server_folder sample=$root$server_sample ;;
        *) folder=$base$client_folder sample=$root$client_sample ;;
    esac
    seen=$folder cfg=$folder/ipmssl.cfg
#% if server
    [ "$1$account" = "$1" ] || [ "$1" != server ] || seen=$work/seen
#% end
}

#% if server
is_left() { [ "$seen" != "$folder" ]; }     # whether the work in $folder is left to another account
#% end
