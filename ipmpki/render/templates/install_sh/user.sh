# ---- one user's client ----------------------------------------------------------------------------------

choose_user() {   # the current user's folder takes the place of the host's
    [ -z "$owner" ] || misused "--user and --owner exclude each other: the key is the current user's"
    [ "$uid" -ne 0 ] || [ -z "${SUDO_USER:-}" ] || misused "--user: run it as that user, without sudo"
    case ${HOME:-} in /*) ;; *) misused "--user: HOME does not name a folder" ;; esac
    host_folder=$root$client_folder
    client_folder=${HOME%/}/$user_folder server_folder=''
}

advise_user() {   # the vendor names the host's folder alone as the place of ca-cert.pem
    judge "$host_folder"
    [ -z "$fault$keeper" ] || return 0
    [ ! -f "$host_folder/ipmssl.cfg" ] ||
        say "Note: the administrator's $host_folder/ipmssl.cfg overrides this one,
      keyword by keyword."
    case $settings$newline in *" ca-cert.pem$newline"*) return ;; esac
    cmp -s "$work/carried/ca-cert.pem" "$host_folder/ca-cert.pem" ||
        say "Note: the place of ca-cert.pem is $host_folder, where this one is not. If the
      client does not find it here, let an administrator run install.sh without
      --user, or name the keyword for it in pki.toml: [ipm] keywords, ca_file."
}
