# ---- the restart ----------------------------------------------------------------------------------------

finish() {   # the next step
    if [ -n "$restart" ]; then
        say "Running: $restart_command"
        (restart) || fail 1 "the files are in place, but the restart command failed."
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
    if [ "$old_locale" = none ]; then unset LC_ALL; else LC_ALL=$old_locale; fi
    sh -c "$restart_command"
}
