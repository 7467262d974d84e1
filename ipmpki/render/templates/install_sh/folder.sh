# ---- the folder that was carried here -------------------------------------------------------------------

sha256_of() {   # sets digest to that of file $1
    for tool in $digest_tools; do
        command -v "$tool" >/dev/null 2>&1 || continue
        case $tool in
            openssl) answer=$(openssl dgst -sha256 <"$1" 2>/dev/null) ;;
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
    [ -f "$here/$1" ] || fail 4 "$1 is missing from $here. Nothing was changed; copy the folder again."
    sha256_of "$here/$1"
    [ "$digest" = "$2" ] ||
        fail 4 "$here/$1 is not what ipmpki wrote. Nothing was changed; copy the folder again."
}

belong_together() {   # certificate $1, key $2; true where there is no openssl to ask
    command -v openssl >/dev/null 2>&1 || return 0
    public=$(openssl x509 -in "$1" -noout -pubkey 2>/dev/null)
    [ -n "$public" ] && [ "$public" = "$(openssl pkey -in "$2" -pubout -passin pass: 2>/dev/null)" ]
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
        belong_together "$here/$identity-cert.pem" "$here/$identity-key.pem" ||
        fail 4 "$identity-cert.pem and $identity-key.pem do not belong together. Nothing was changed."
}
