# ---- options --------------------------------------------------------------------------------------------

usage() {
    cat <<'END'
#% if own_key
usage: sh install.sh [--dry-run] [--verify | --rollback | --uninstall | --new-key]
#% end
#% if not own_key
usage: sh install.sh [--dry-run] [--verify | --rollback | --uninstall]
#% end
                     [--root DIR] [--force] [--trust-folder]
#% if user
                     [--user]
#% end
#% if key
                     [--owner USER[:GROUP]]
#% end
#% if restart
                     [--restart]
#% end

  (nothing)     install the files of this folder and set the keywords of ipmssl.cfg
  --dry-run     print what would change, and change nothing
  --verify      compare this host with this folder: exit 1 and say what differs
  --rollback    put back what stood here before the last change
  --uninstall   remove what install.sh put here, put back what it had replaced
#% if own_key
  --new-key     make a key that stays on this host, and the request for its certificate; the key in
                use stays in use until that certificate is installed
#% end
#% if user
  --user        work on the InfoPrint Manager client of the current user, not of the whole host
#% end
  --root DIR    work below DIR instead of /; needs no privilege
#% if key
  --owner USER[:GROUP]
                the account that owns the key; on a client, members of GROUP may read it too
#% end
#% if own_key
  --force       go on although this is not the host the folder was made for; with --new-key on the
                right host, make another key although one waits for its certificate
#% end
#% if not own_key
  --force       go on although this is not the host the folder was made for
#% end
  --trust-folder
                go on although others may change this folder, and so what is installed
#% if restart
  --restart     run the restart command of pki.toml when something changed
#% end

exit status: 0 done or up to date, 1 failed and nothing changed (or --verify found differences),
             2 wrong usage, 3 wrong host, 4 damaged folder, or one that others may change,
             5 something was changed and something failed: what stands now is said
END
}

misused() { fail 2 "$1${newline}Try 'sh install.sh --help'."; }

choose() {   # one of --verify, --rollback, --uninstall, --new-key
    [ -z "$mode" ] || [ "$mode" = "$1" ] || misused "--$mode and --$1 exclude each other"
    mode=$1
}

read_options() {
    while [ $# -gt 0 ]; do
        case $1 in
            --dry-run) dry_run=1 ;;
            --verify) choose verify ;;
            --rollback) choose rollback ;;
            --uninstall) choose uninstall ;;
            --new-key) choose new-key ;;
            --user) for_user=1 ;;
            --force) force=1 ;;
            --trust-folder) trust_folder=1 ;;
            --restart) restart=1 ;;
            --root | --owner)
                [ -n "${2:-}" ] || misused "$1 needs a value"
                if [ "$1" = --root ]; then root=$2; else owner=$2; fi
                shift ;;
            --root=?*) root=${1#--root=} ;;
            --owner=?*) owner=${1#--owner=} ;;
            -h | --help) usage; exit 0 ;;
            *) misused "unknown option '$1'" ;;
        esac
        shift
    done
    [ "$mode" != verify ] || [ -z "$dry_run$restart" ] || misused "--verify changes nothing: it stands alone"
    if [ "$mode" = new-key ]; then
        [ -z "$restart" ] || misused "--new-key changes nothing in use: not with --restart"
#% if not own_key
        misused "--new-key: the key of this host is not its own. Declare csr = \"csr/NAME.csr\"
for it in pki.toml, run 'ipmpki build', and carry the folder here again."
#% end
    fi
#% if not key
    [ -z "$owner" ] || misused "--owner: there is no key in this folder that an account could own"
#% end
    case $owner in
        -* | :* | *: | *:*:*) misused "--owner wants USER or USER:GROUP" ;;
        ?*) case $mode in rollback | uninstall) misused "--$mode gives no key away: not with --owner" ;; esac ;;
    esac
#% if not restart
    [ -z "$restart" ] || misused "--restart: pki.toml declares no restart_command for this host"
#% end
    case $root in
        '' | /*) ;;
        *) root=$(pwd)/$root ;;
    esac
    while [ "$root" != "${root%/}" ]; do root=${root%/}; done
#% if user
    [ -z "$for_user" ] || choose_user
#% end
#% if not user
    [ -z "$for_user" ] || misused "--user is for a client: this folder was made for a server"
#% end
}
