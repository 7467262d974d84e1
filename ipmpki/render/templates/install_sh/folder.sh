# ---- the folder that was carried here -------------------------------------------------------------------

judge_here() {   # may another account change this folder, and so what is installed from it?
    [ -z "$trust_folder" ] || { say "Note: --trust-folder: nobody looked who may change $here."; return 0; }
    trusts 0
    before=$trusted
    # Whoever called sudo, or logged in and became root by su, could have carried another folder here.
    trusted="$trusted$uid ${SUDO_UID:-0} $(id -u "$(logname 2>/dev/null)" 2>/dev/null || say 0) "
    who=$uid uid=0
    judge "$(cd "$here" && pwd -P)"
    uid=$who trusted=$before
    [ -z "$fault$keeper" ] || fail 4 "${fault:-$at: belongs to $keeper}, and so what is in $here may be another's.
Nothing was changed. Carry the folder to a place that only you may write to, and compare the SHA-256 of
install.sh with that in the manifest.json where it was built, or run it with --trust-folder."
}

sha256_of() {   # sets digest to that of file $1
    for tool in $digest_tools; do
        command -v "$tool" >/dev/null 2>&1 || continue
        case $tool in
            openssl) answer=$("$openssl" dgst -sha256 <"$1" 2>/dev/null) ;;
            shasum) answer=$(shasum -a 256 <"$1" 2>/dev/null) ;;
            csum) answer=$(csum -h SHA256 "$1" 2>/dev/null) ;;
            *) answer=$("$tool" <"$1" 2>/dev/null) ;;
        esac
        for digest in $answer; do      # each tool words its answer in its own way
            case $digest in
                *[!0-9a-f]*) ;;
                *) [ ${#digest} -ne 64 ] || return 0 ;;
            esac
        done
    done
    give_up "no way to check the files: none of $digest_tools computes a SHA-256"
}

check_file() {   # name, SHA-256
    [ ! -f "$work/carried/$1" ] || return 0       # for another area
    [ -f "$here/$1" ] || fail 4 "$1 is missing from $here. Nothing was changed; copy the folder again."
    # Read once: what is installed are the bytes that were checked, whoever changes the file meanwhile.
    cat "$here/$1" >"$work/carried/$1" || give_up "cannot copy $here/$1 to $work"
    sha256_of "$work/carried/$1"
    [ "$digest" = "$2" ] ||
        fail 4 "$here/$1 is not what ipmpki wrote. Nothing was changed; copy the folder again."
}

belong_together() {   # certificate $1, key $2; true where there is no openssl to ask
    [ -n "$openssl" ] || return 0
    public=$("$openssl" x509 -in "$1" -noout -pubkey 2>/dev/null)
    [ -n "$public" ] && [ "$public" = "$("$openssl" pkey -in "$2" -pubout -passin pass: 2>/dev/null)" ]
}

check_bundle() {
    while read -r area name bits kind wanted; do
        [ -z "$name" ] || check_file "$name" "$wanted"
    done <<END
$payload
END
#% if own_key
    [ "$mode" != new-key ] || check_file request.cnf "$request_sum"
#% end
    [ -z "$identity" ] || [ -n "$own_key" ] ||
        belong_together "$work/carried/$identity-cert.pem" "$work/carried/$identity-key.pem" ||
        fail 4 "$identity-cert.pem and $identity-key.pem do not belong together. Nothing was changed."
}
