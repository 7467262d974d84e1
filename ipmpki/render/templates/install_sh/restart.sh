# ---- the restart ----------------------------------------------------------------------------------------

finish() {   # the next step
#% if restart
    if [ -n "$restart" ]; then
        say "Running: $restart_command"
        (restart) || {
            # Due until it succeeds, after an uninstall too, which leaves nothing else behind.
            mkdir -p "$state" && say 'a change was not restarted for' >"$state/restart-due"
            # shellcheck disable=SC2086 # pairs of words
            set -- $made
            while [ $# -gt 1 ] && [ ! -f "$record" ]; do put_out "folder $1 $2"; shift 2; done >"$work/part"
            [ ! -s "$work/part" ] || cat "$work/part" >"$record"
            what='the files are in place' status=5 again="install.sh ${mode:+--$mode }--restart"
            case $mode in
                uninstall) what='what install.sh had put here is gone' ;;
                rollback) what='what stood here before is back' again='install.sh --restart' ;;
            esac
            [ "$count" -gt 0 ] || what='nothing was changed now' status=1
            fail "$status" "$what, but the restart command failed: see above.
Mend it and run it, or run $again again."
        }
        rm -f "$state/restart-due"
        say 'Done.'
    else
        say "Next: restart, for this to take effect: $restart_command"
    fi
#% end
#% if not restart
    if [ "$role" = server ]; then say "Next: $server_restart."; else say "Next: $client_restart."; fi
#% end
}

#% if restart
restart() {   # with the caller's umask and locale: a server must not start with this script's
    umask "$old_umask"
    unset POSIXLY_CORRECT OPENSSL_CONF
    # Of the caller's PATH what nobody else can put a program into: InfoPrint Manager's own may stand there.
    IFS=:
    # shellcheck disable=SC2086 # at its colons
    set -- $old_path
    unset IFS
    for at do
        case $at in /*) judge "$at"; [ -n "$fault$keeper" ] || PATH=$PATH:$at ;; esac
    done
    if [ "$old_locale" = none ]; then unset LC_ALL; else LC_ALL=$old_locale; fi
    sh -c "$restart_command"
}
#% end
