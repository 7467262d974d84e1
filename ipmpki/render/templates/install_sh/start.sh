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

old_umask=$(umask) old_locale=${LC_ALL-none}      # given back to the restart command
LC_ALL=C; export LC_ALL     # bytes, not characters, and messages that are the same everywhere
unset CDPATH
# The first file to be opened would take the place of a closed stream.
(: <&0) 2>/dev/null || exec </dev/null
(: >&1) 2>/dev/null || exec >/dev/null
(: >&2) || exec 2>/dev/null
umask 077
set -uf
newline='
'
root='' owner='' mode='' dry_run='' force='' restart='' for_user='' locked='' made='' user='' group='' count=0
place='' promotes='' returns='' spends=''

say() {      # ksh88 and mksh have no printf of their own, and what echo makes of a backslash differs
    cat <<END
$*
END
}
if command -v printf >/dev/null 2>&1; then say() { printf '%s\n' "$*"; }; fi
fail() { code=$1; shift; say "install.sh: $*" >&2; exit "$code"; }
give_up() { fail 1 "$1. Nothing was changed."; }
keep() { file=$work/$1; shift; say "$*" >>"$file" || give_up "cannot write to $work"; }

make_work_folder() {   # sets work; a run that was killed may have left one of this name
    [ -d "${TMPDIR:-/tmp}" ] || give_up "there is no folder ${TMPDIR:-/tmp} to work in"
    for more in '' .1 .2 .3; do
        work=${TMPDIR:-/tmp}/ipmpki-install.$$$more
        ! mkdir "$work" 2>/dev/null || return 0
    done
    mkdir "$work" || give_up "cannot make $work"
}
