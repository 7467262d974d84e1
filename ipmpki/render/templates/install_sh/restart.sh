# ---- the restart ----------------------------------------------------------------------------------------

finish() {   # the next step
    if [ -n "$restart" ]; then
        say "Running: $restart_command"
        (restart) || {
            # Due until it succeeds, after an uninstall too, which leaves nothing else behind.
            mkdir -p "$state" && say 'a change was not restarted for' >"$state/restart-due"
            [ "$count" -gt 0 ] || fail 1 "nothing was changed now, but the restart command failed: see above."
            case $mode in
                uninstall) fail 5 "what install.sh had put here is gone, but the restart command failed: see above." ;;
                rollback) fail 5 "what stood here before is back, but the restart command failed: see above." ;;
                *) fail 5 "the files are in place, but the restart command failed: see above." ;;
            esac
        }
        rm -f "$state/restart-due"
        say 'Done.'
    elif [ -n "$restart_command" ]; then
        say "Next: restart, for this to take effect: $restart_command"
    elif [ "$role" = server ]; then
        say "Next: $server_restart."
    else
        say "Next: $client_restart."
    fi
}

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
