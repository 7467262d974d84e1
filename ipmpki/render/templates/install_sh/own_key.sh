# ---- a key of this host's own ---------------------------------------------------------------------------

began_in=$(pwd)

plan_own_key() {   # one that never left this host: it stands here, or waits for the certificate of this folder
    certificate=$identity-cert.pem key=$identity-key.pem
    folder_of "$identity"
    [ ! -f "$waiting" ] || [ -n "$openssl" ] ||
        give_up "without openssl nobody can tell whether $certificate belongs to $folder/$key or to $waiting"
    if [ -f "$seen/$key" ] && belong_together "$work/carried/$certificate" "$seen/$key"; then
        [ ! -f "$waiting" ] ||
            keep advice "Note: a new key waits in $waiting
      for its certificate. Put its request where pki.toml expects it, as $request_place:
      sh install.sh --new-key writes it again. Then run 'ipmpki build'."
        recorded "$identity" "$key" || return 0     # put there by hand, it is left alone
        sha256_of "$seen/$key"
        key_bits "$identity" "$seen/$key"
        plan_file "$identity" "$key" "$bits" key "$digest" itself ''
    elif [ -f "$waiting" ] && belong_together "$work/carried/$certificate" "$waiting"; then
        sha256_of "$waiting"
        key_bits "$identity" "$waiting"
        plan_file "$identity" "$key" "$bits" key "$digest" waiting 'the new key, made on this host'
        promotes=1
    elif [ "$mode" = verify ]; then
        why='missing: put the key here that the request was made with'
        [ ! -f "$seen/$key" ] || why="does not belong to $certificate of this folder"
        note_change "$identity" find "$key" "$why"
        stuck=1
        keep next "Next: put the key that the request was made with in place, as $folder/$key;
      or run sh install.sh --new-key, put its request where pki.toml expects it, as
      $request_place, run 'ipmpki build' and carry the folder here again."
        [ ! -f "$waiting" ] || keep advice "Note: the new key that waits does not belong to it either,
      $waiting."
        ! recorded "$identity" "$key" || cat "$work/line" >>"$work/installed" || no_room "$work"
    else
        lacks_key
    fi
}

lacks_key() {
    case $([ ! -f "$seen/$key" ] || say used)$([ ! -f "$waiting" ] || say waits) in
        '') why="there is no key for $certificate here, neither $folder/$key
nor one that waits, $waiting" ;;
        used) why="$certificate does not belong to the key in use, $folder/$key,
and no new key waits in $waiting" ;;
        waits) why="$certificate does not belong to the new key that waits, $waiting,
and there is no $folder/$key" ;;
        *) why="$certificate belongs neither to the key in use, $folder/$key,
nor to the new one that waits, $waiting" ;;
    esac
    fail 1 "$why.
Nothing was changed. Put the key that its request was made with in place, as $folder/$key;
or run sh install.sh --new-key, put its request where pki.toml expects it, as
$request_place, run 'ipmpki build' and carry the folder here again."
}

new_key() {   # makes one, unless one waits already, and its request
    [ -n "$openssl" ] || give_up "there is no openssl here, which makes keys and requests"
    if [ -n "$dry_run" ]; then foretell_key; return; fi
    lock
    interrupted
    recover
    choose_place
    if makes_key; then
        made_key='a new key was made, and its request written'
        prepare_key
        make_request "$state/prepare/waiting-key.pem" ||
            give_up "openssl could not make the request (is the disk full?): $(cat "$work/said")"
        commit
    else
        made_key='the key that was made before still waits; its request was written again'
        make_request "$waiting" ||
            give_up "openssl could not make a request with $waiting: $(cat "$work/said")"
    fi
    place_request || fail 5 "a key waits in $waiting, but $place/$role.csr cannot be written. Run it again."
    tell_of_key
}

makes_key() {   # where the name of the host differs, --force is about that; a waiting key is not lost by it
    [ -f "$waiting" ] || return 0
    [ -n "$force" ] && { [ -n "$root" ] || is_this_host; }
}

choose_place() {   # sets place, the folder that the request will lie in
    for place in "$here" "$began_in"; do
        [ -n "$place" ] || continue
        judge "$place"
        [ -z "$fault" ] || continue
        if [ -n "$keeper" ]; then       # of the account that carried the folder here, say
            lies_in=$work place_of=$keeper
            (in_place; say '' | with_bytes write "$role.csr" 644 - && there drop) 2>/dev/null || continue
            return 0
        fi
        lies_in=$place/.ipmpki-request place_of=''
        [ ! -d "$place/$role.csr" ] || give_up "$place/$role.csr is a folder, not a file"
        rm -rf "$place/.ipmpki-request" 2>/dev/null
        ! mkdir "$place/.ipmpki-request" 2>/dev/null || return 0
    done
    place=''
    give_up "there is no place for the request: neither $here
nor the current folder can be written to. Go to a folder that can, and call install.sh from there"
}

in_place() { account=$place_of folder=$place; find_su; }     # in a subshell

place_request() {
    if [ -z "$place_of" ]; then mv -f "$lies_in/$role.csr" "$place/$role.csr"; return; fi
    # shellcheck disable=SC2002 # that account gets a pipe, not an open file of root
    (in_place; cat "$lies_in/$role.csr" | with_bytes write "$role.csr" 644 - && there put)
}

prepare_key() {
    next=$state/prepare
    mkdir "$next" || no_room "$state"
    # shellcheck disable=SC2086 # several words
    set -- $key_options
    "$openssl" genpkey -algorithm "$@" -out "$next/waiting-key.pem" >/dev/null 2>"$work/said" ||
        give_up "openssl could not make a key: $(cat "$work/said")"
    folder_of "$role"
    key_bits "$role" "$seen/$role-key.pem"
    give_away "$next/waiting-key.pem" "$seen/$role-key.pem"
    chmod "$bits" "$next/waiting-key.pem" || give_up "cannot set the mode of $next/waiting-key.pem"
    [ -n "$made" ] || return 0
    [ ! -f "$record" ] || cat "$record" >"$next/installed" || no_room "$state"
    say "folder$made" >>"$next/installed" || no_room "$state"       # the client's alone
}

make_request() {   # with key $1; a key or a request of which the disk took a half only is found out here
    file=$lies_in/$role.csr
    "$openssl" req -new -sha256 -config "$work/carried/request.cnf" -key "$1" -passin pass: -out "$file" \
        >/dev/null 2>"$work/said" || return 1
    public=$("$openssl" pkey -in "$1" -pubout -passin pass: 2>/dev/null)
    [ -n "$public" ] &&
        [ "$public" = "$("$openssl" req -config "$work/carried/request.cnf" -in "$file" -noout -pubkey 2>/dev/null)" ] &&
        chmod 644 "$file"
}

foretell_key() {
    choose_place
    if makes_key; then
        say "$host: this would make a new key ($key_type), which waits for its certificate in
  $waiting"
        [ ! -f "$waiting" ] || say "  in place of the one that waits there, whose request would be void"
    else
        say "$host: the key that was made before still waits in
  $waiting"
    fi
    say "and would write its request, $role.csr, into
  $place"
    say 'Nothing was changed.'
    say 'Next: run it without --dry-run.'
}

tell_of_key() {
    say "$host: $made_key"
    say ''
    say "  key      $waiting"
    say "  request  $place/$role.csr"
    say ''
    say "The key waits there until its certificate is installed; it never leaves this host. Until then
all that is in use here stays as it is."
    [ -z "$force" ] || [ -n "$root" ] || is_this_host || [ "${made_key#the key}" = "$made_key" ] ||
        say "Note: --force was for the name of the host. To make another key, remove the one that waits."
    say "Next: carry $role.csr to pki.toml, put it there as $request_place, run
      'ipmpki build', carry the new folder here, and run sh install.sh."
}

say_that_it_waits() {   # instead of installing from a folder that has no certificate yet
    if [ -f "$waiting" ]; then
        fail 1 "there is nothing to install yet: the certificate of this host is awaited.
A new key waits for it, $waiting.
Next: put its request where pki.toml expects it, as $request_place, and run 'ipmpki build'.
      sh install.sh --new-key writes the request again."
    fi
    fail 1 "there is nothing to install yet: this host makes its key itself, and its certificate is awaited.
Next: sh install.sh --new-key makes a key and the request; README.txt tells the rest."
}
