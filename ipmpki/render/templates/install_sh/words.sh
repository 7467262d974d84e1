# ---- words at the end -----------------------------------------------------------------------------------

show_words() {   # $work/words, folder by folder
    [ -z "$wrong_host" ] || { say ''; say "  wrong host: $wrong_host"; }
    for area in $areas; do
        grep "^$area " "$work/words" >"$work/part" || continue
        folder_of "$area"
        say ''
        say "  $folder"
        MODE=$mode awk '
            $2 == "|" { sub(/^[a-z]* [|] /, ""); print "        " $0; next }
            {
                reason = $4; for (i = 5; i <= NF; i++) reason = reason " " $i
                shown = sprintf("    %-8s %-15s  %s", $2, $3, reason)
                if (ENVIRON["MODE"] == "verify") shown = sprintf("    %-15s  %s", $3, reason)
                sub(/ +$/, "", shown); print shown
            }' "$work/part"
    done
    say ''
    [ ! -s "$work/advice" ] || cat "$work/advice"
}

advise() {   # what this run could not do by itself
    key=$identity-key.pem
    folder_of "${identity:-client}"
    if [ -n "$identity" ] && [ -z "$for_user" ] && [ -f "$seen/$key" ]; then
        name_owner "$seen/$key"
        look_at "$seen/$key"
        case $identity:$owner:$bits_are in
#% if server
            server::*)
                say "Note: $key belongs to '$user_named'. If the server runs as another account,
      run install.sh --owner ACCOUNT." ;;
#% end
#% if not server
            client:*:-rw-------)
                say "Note: only '$user_named' may read $key, so nobody else on this host can
      print. To allow the members of a group: install.sh --owner $user_named:GROUP" ;;
#% end
        esac
#% if server
        case $identity$settings in
            server*'client set CertFile'*)
                case $settings in
                    *'client set CertFile client-cert.pem'*)
                        key=client-key.pem
                        folder_of client
                        [ ! -f "$seen/$key" ] || name_owner "$seen/$key" ;;
                esac
                say "Note: command-line tools on this host can authenticate only when '$user_named'
      runs them, as nobody else may read $key." ;;
        esac
#% end
    fi
#% if user
    [ -z "$for_user" ] || advise_user
#% end
    [ -n "$look_for" ] || return 0
    say 'Look in the sample ipmssl.cfg for these, as pki.toml names no keyword for them:'
    while read -r area what; do say "  $area  $what"; done <<END
$look_for
END
}

show_up_to_date() {
    case $mode in
        verify) say "$host: nothing differs from $here." ;;
        uninstall) say "$host: nothing here was put by install.sh." ;;
        *) if [ -n "$completed" ]; then say "$host: completed what an earlier run had prepared."
           else say "$host: already up to date."; fi ;;
    esac
    cat "$work/advice"
    # A change of an earlier run that nobody restarted for: now somebody asks.
    [ -z "$completed$restart" ] || [ -n "$dry_run" ] || [ "$mode" = verify ] || [ ! -f "$state/restart-due" ] || finish
}
