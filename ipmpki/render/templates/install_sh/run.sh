# ---- the run --------------------------------------------------------------------------------------------

uid=$(id -u)
read_options ${1+"$@"}
case $0 in
    /*) here=${0%/*} ;;
    */*) here=./${0%/*} ;;
    *) here=. ;;
esac
here=$(cd "$here/" && pwd)
[ -n "$root$for_user" ] || [ "$uid" -eq 0 ] ||
    give_up "only $superuser can install here: run it with sudo, or below a folder with --root"
check_host
judge_here
areas=client
work='' base=$root
remember_in "$root"
#% if server
areas='server client'      # the server's first: the client's ipmssl.cfg names files in it
#% end
#% if not server
# The server's folder matters on a client only where an earlier run has worked in it.
[ -z "$server_folder" ] || { [ ! -d "$state/commit" ] && [ ! -d "$state/prepare" ] &&
    ! { [ -f "$record" ] && grep '^[a-z]* server ' "$record" >/dev/null; }; } || areas='server client'
#% end
#% if own_key
case $awaits$mode in 1 | 1verify) say_that_it_waits ;; esac
#% end

make_work_folder
trap clean_up 0
trap 'stop_short "Nothing was changed." 1' HUP INT PIPE TERM
settle_keepers
[ -n "$fault" ] || check_state
if [ -n "$fault" ]; then
    [ "$mode" = verify ] || give_up "$fault. To mend it: $mends"
    say "$host: differs from $here"
    say ''
    say "  $fault. Nothing there was looked at."
    say ''
    say "Next: $mends"
    exit 1
fi

case $mode in
#% if key
    '' | verify | new-key) check_bundle; settle_owner ;;
#% end
#% if not key
    '' | verify) check_bundle ;;
#% end
    uninstall) payload='' settings='' identity='' own_key='' look_for='' ;;
esac
! is_busy || leave_to_other
if [ "$mode" = new-key ]; then
    new_key
    exit 0
elif [ "$mode" = verify ] || [ -n "$dry_run" ]; then
    if ! interrupted || [ "$stage_reached" != commit ]; then make_plan
    elif [ "$mode" != verify ]; then rehearse
    else
        make_plan
        note_change client complete .ipmpki 'of an interrupted run, which the next run completes'
        [ -s "$work/plan" ] || keep next 'Next: sh install.sh completes it.'
    fi
else
    if interrupted || { make_plan; [ "$count" -gt 0 ]; }; then
        lock
        interrupted       # once more, and planned anew: before the lock another run was free to change things
        recover
        make_plan
    fi
fi
if [ "$mode" = verify ]; then
    look_over
    [ -z "$wrong_host" ] || count=$((count + 1))
fi

if [ "$count" -eq 0 ]; then
    show_up_to_date
elif [ "$mode" = verify ]; then
    say "$host: differs from $here"
    show_words
    if [ -n "$wrong_host" ]; then say "Next: carry this folder to $host."
    else
        [ -n "$stuck" ] || [ ! -s "$work/plan" ] ||
            say 'Next: sh install.sh --dry-run shows what would mend it, sh install.sh does it.'
        cat "$work/next"
    fi
    exit 1
elif [ -n "$dry_run" ]; then
    if [ -n "$rehearsed" ]; then say "$host: when that is completed, this would change"
    else say "$host: this would change"; fi
    show_words
    [ "$mode" = rollback ] || advise
#% if restart
    [ -z "$restart" ] || say "Then this would run: $restart_command"
#% end
    say 'Nothing was changed.'
    say 'Next: run it without --dry-run.'
else
    due=''
    [ -z "$restart" ] || [ ! -f "$state/restart-due" ] || due=1
    prepare
    commit
    [ -n "$mode" ] || { look_again; look_over; }
    say "$host: changed"
    show_words
    [ "$mode" = rollback ] || advise
    [ -n "$mode" ] || say "Backup: $state/$stamp"
    { [ ! -s "$work/plan" ] && [ -z "$due" ]; } || finish
fi
:     # done, whatever became of the words: a full disk may have taken them
