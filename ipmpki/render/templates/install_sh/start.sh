# ---- the same for every host ----------------------------------------------------------------------------
# POSIX sh that ksh88 (AIX) runs too. No key is ever readable more widely than at its end, nor printed.
#
# Nothing on this host changes but in the part headed 'the change'. There, all is first prepared: the new files
# in FOLDER/.ipmpki-new, backups and the rest in $state/prepare. One rename, of 'prepare' to 'commit', decides;
# then one mv a folder puts its files in place. A run that finds 'commit' completes it, one that finds 'prepare'
# throws it away: so a host whose install.sh was killed ends up with the old set or with the new one.
#
# A key that --new-key has made waits in $waiting, where no program looks for it, until a folder is installed
# whose certificate belongs to it: both are put in place by one change.

# First of all what others may have left in the environment goes: functions that bash imports, programs that
# other folders have under the names of the system's, and variables that make a program read or run a file. The
# assignment makes bash look for 'unset' and 'set' before functions of that name (its manual, 'Bash POSIX Mode').
POSIXLY_CORRECT=1
set +x
unset -f awk cat cd chmod chown cmp command cp date grep head hostname id kill ln ls mkdir mv openssl printf pwd \
    read rm rmdir sed sh shasum sha256sum sleep su sync tail test tr true umask uname wc '[' 2>/dev/null || :
#% if restart
old_umask=$(umask) old_locale=${LC_ALL-none} old_path=${PATH-}      # given back to the restart command
#% end
PATH=/usr/bin:/bin:/usr/sbin:/sbin; export PATH
LC_ALL=C; export LC_ALL     # bytes, not characters, and messages that are the same everywhere
unset CDPATH ENV BASH_ENV FPATH IFS GREP_OPTIONS AWKPATH AWKLIBPATH LOCPATH NLSPATH PERL5LIB PERL5OPT PERLLIB PERL5DB
unset LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT LIBPATH LDR_PRELOAD LDR_PRELOAD64 DYLD_INSERT_LIBRARIES DYLD_LIBRARY_PATH
unset OPENSSL_CONF OPENSSL_CONF_INCLUDE OPENSSL_MODULES OPENSSL_ENGINES RANDFILE SSLKEYLOGFILE
# The first file to be opened would take the place of a closed stream.
(: <&0) 2>/dev/null || exec </dev/null
(: >&1) 2>/dev/null || exec >/dev/null
(: >&2) || exec 2>/dev/null
umask 077
set -uf
openssl=$(command -v openssl) || openssl=''
newline='
'
tab='	'
root='' owner='' mode='' dry_run='' force='' restart='' for_user='' locked='' made='' user='' group='' count=0
place='' promotes='' returns='' spends='' rehearsed='' trusted='' fault='' trust_folder=''
rolled_back='' completed=''
known='ca-cert.pem client-ca-cert.pem server-cert.pem server-key.pem client-cert.pem client-key.pem'
known="$known crl.pem ipmssl.cfg"
#% if left
account='' left_at=''
#% end

put_out() {      # ksh88 and mksh have no printf of their own, and what echo makes of a backslash differs
    cat <<END
$*
END
}
if command -v printf >/dev/null 2>&1; then put_out() { printf '%s\n' "$*"; }; fi
say() {      # the one way to people: names and lines that others wrote must not drive their terminal
    case $* in
        *[!"$newline$tab"\ -~]*) put_out "$*" | shown ;;
        *) put_out "$*" ;;
    esac
}
shown() {    # control characters, and what turns the direction of text or has no width, as \x1b and \u202e
    awk '
        BEGIN {
            for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i
            odd = "[\001-\010\013-\037\177]|\302[\200-\237]|\330\234|\342\200[\213-\217\250-\256]"
            odd = odd "|\342\201[\240-\257]|\357\273\277"
        }
        {
            out = ""
            while (match($0, odd)) {
                n = 0
                for (i = RSTART; i < RSTART + RLENGTH; i++) n = n * 64 + code[substr($0, i, 1)] % 128 % 64
                if (RLENGTH == 1) n = code[substr($0, RSTART, 1)]
                if (RLENGTH == 3) n %= 65536
                out = out substr($0, 1, RSTART - 1) sprintf(n < 128 ? "\\x%02x" : "\\u%04x", n)
                $0 = substr($0, RSTART + RLENGTH)
            }
            print out $0
        }'
}
fail() { code=$1; shift; say "install.sh: $*" >&2; exit "$code"; }
give_up() {
    [ -z "$completed" ] || fail 5 "$1. What an earlier run had prepared was completed; nothing else was changed."
    fail 1 "$1. Nothing was changed."
}
no_room() { give_up "cannot write to $1 (is the disk full?)"; }
keep() { file=$work/$1; shift; say "$*" >>"$file" || no_room "$work"; }

make_work_folder() {   # sets work; a run that was killed may have left one of this name
    judge "${TMPDIR:-/tmp}"
    [ -z "$fault$keeper" ] || TMPDIR=/tmp         # of another account, which sudo or su has left in place
    [ -d "${TMPDIR:-/tmp}" ] || give_up "there is no folder ${TMPDIR:-/tmp} to work in"
    for more in '' .1 .2 .3 .4; do
        work=${TMPDIR:-/tmp}/ipmpki-install.$$$more
        ! mkdir "$work" 2>/dev/null || break
        [ "$more" != .4 ] || give_up "cannot make $work"
    done
    mkdir "$work/carried" || no_room "$work"
    true >"$work/openssl.cnf" || no_room "$work"
    OPENSSL_CONF=$work/openssl.cnf; export OPENSSL_CONF       # the system's may name modules to be loaded
}
