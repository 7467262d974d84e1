"""The commands of AIX and of macOS, as far as they can be had on Linux: a PATH of shims.

Each utility is a small dash script that reads its arguments as that system's getopt would: only the option
letters that system documents, no ``--word``, no option after the first operand. What it does not know it
refuses in that system's words and notes down for ``Userland.refused``, so that a script's ``2>/dev/null``
hides nothing; the rest it hands to this machine's program. What is not in the table is not on the PATH.

The tables are stricter than the systems: AIX has the options of XCU Issue 6, which it supports, and few
of its own; macOS has what the getopt strings of Apple's sources say, without the long options that a few
of its commands have taken over, and is one from before ``readlink -f`` (macOS 12.3).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Utility:
    """One command of one system.

    ``options`` is a getopt string; where ``any_operand`` is set, operands may begin with a hyphen. ``hooks``
    is dash, for what letters cannot say: functions ``value LETTER VALUE``, ``operand WORD`` (called for each)
    and ``run ARGUMENT...`` (to end with the real program, ``$real``). ``real`` names this machine's program
    where it is called otherwise; the empty string says that there is none.
    """

    options: str
    source: str
    hooks: str = ""
    real: str | None = None
    any_operand: bool = False


# A script for sed is held against GNU's own escapes, which are letters elsewhere.
_SED = r"""
scripts=0
plain() {
    case $1 in
        *\\[tnrvfawWsSbBdxoclLuU+?\|\<\>\`]*) refuse "an escape of GNU sed in $1" ;;
        *[\;\{]a\ * | a\ * | i\ * | c\ *) refuse "text on the line of its command in $1" ;;
    esac
}
value() { case $1 in [ef]) scripts=1 ;; esac; [ "$1" != e ] || plain "$2"; }
operand() { [ $scripts -eq 1 ] || plain "$1"; scripts=1; }
"""

# BSD's -i takes the next word, even an empty one, for the suffix of a copy; GNU's takes none but its own.
_SED_MACOS = (
    _SED
    + r"""
run() {
    count=$# again=
    while [ $count -gt 0 ]; do
        word=$1 count=$((count - 1)); shift
        case $again$word in
            -i) word=-i$1 count=$((count - 1)); shift ;;
            -e | -f) set -- "$@" "$word" "$1"; shift; count=$((count - 1)); continue ;;
            [!-]*) again=operands- ;;
        esac
        set -- "$@" "$word"
    done
    exec "$real" "$@"
}
"""
)

# Nothing may set this machine's clock or name; what macOS does with -j and -v is not modelled.
_DATE = r"""
operand() { case $1 in +*) ;; *) refuse "would set the clock" ;; esac; }
"""
_DATE_MACOS = r"""
operand() { case $1 in +*) ;; *) refuse "would set the clock" ;; esac; }
value() {
    case $1$2 in
        r*[!0-9]*) ;;       # a file, as in GNU date
        r*) seconds=$2 ;;
        *) refuse "-$1 is not modelled here" ;;
    esac
}
run() {
    for word do
        shift
        case $word in
            -r) set -- "$@" -d "@$seconds" ;;
            -j | "${seconds:-none}") ;;
            -*[rj]*) refuse "$word is not modelled here" ;;
            *) set -- "$@" "$word" ;;
        esac
    done
    exec "$real" "$@"
}
"""
_NAME = 'operand() { refuse "would set the name of the host"; }'
_NO_OPERAND = 'operand() { refuse "takes no operand"; }'

# A downloaded file has extended attributes, which macOS marks behind the mode.
_LS_MACOS = r"""
run() {
    case $letters in
        *[lno]*) "$real" "$@" >"$scratch"; status=$?
            "$sed" 's/^\([-bcdlps][-rwxsStT]\{9\}\) /\1@ /' "$scratch"; exit $status ;;
    esac
    exec "$real" "$@"
}
"""
_WC_PADDED = """
run() { "$real" "$@" >"$scratch" || exit; "$sed" 's/^/       /' "$scratch"; exit 0; }
"""

# What OpenSSL 1.0.2 and LibreSSL both know, and their way of naming a digest.
_OPENSSL = r"""
operand() {
    command=${command-$1}
    case "$command $1" in
        *' '[!-]* | 'dgst -sha256' | 'pkey -in' | 'pkey -pubout' | 'pkey -passin' | 'pkey -noout') ;;
        'genpkey -algorithm' | 'genpkey -pkeyopt' | 'genpkey -out') ;;
        'req -new' | 'req -sha256' | 'req -config' | 'req -key' | 'req -passin' | 'req -out' | 'req -in') ;;
        'req -noout' | 'req -pubkey' | 'x509 -startdate') ;;
        'x509 -in' | 'x509 -noout' | 'x509 -pubkey' | 'x509 -checkend' | 'x509 -enddate') ;;
        *) refuse "unknown option $1 of $command" ;;
    esac
}
run() {
    case $command in
        dgst) "$real" "$@" >"$scratch" || exit; "$sed" 's/^SHA2-256(/(/; s/^(\(..*\))=/SHA256(\1)=/
            s/^SHA256(stdin)=/(stdin)=/' "$scratch"; exit 0 ;;
    esac
    exec "$real" "$@"
}
"""

# csum knows MD5 and SHA1; the shim has them from GNU's programs, whose form of answer is csum's.
_CSUM = r"""
sum=md5sum
value() {
    case $1$2 in
        hMD5) sum=md5sum ;;
        hSHA1) sum=sha1sum ;;
        *) refuse "$1 $2: unknown hash algorithm" ;;
    esac
}
run() { [ "$1" != -h ] || shift 2; exec /usr/bin/$sum "$@"; }
"""
_INSTALL = 'run() { refuse "is modelled only as far as its options"; }'
_SHASUM = 'value() { case $1$2 in a1 | a256 | a512) ;; *) refuse "unknown algorithm $2" ;; esac; }'
_MKTEMP = r"""
value() { prefix=$2; }
run() {
    [ "${prefix-}" ] || exec "$real" "$@"
    case $letters in *d*) exec "$real" -d -t "$prefix.XXXXXXXX" ;; esac
    exec "$real" -t "$prefix.XXXXXXXX"
}
"""
_STAT = r"""
value() {
    case $2 in
        %Lp) form=%a ;; %u) form=%u ;; %g) form=%g ;; %Su) form=%U ;; %Sg) form=%G ;; %z) form=%s ;;
        *) refuse "-$1 $2 is not modelled here" ;;
    esac
}
run() { [ "${form-}" ] || refuse "its own form is not modelled here"; shift 2; exec "$real" -c "$form" "$@"; }
"""


def _find(primaries: str) -> str:
    """Refuse a primary that is not among ``primaries``."""
    known = " | ".join(f"-{word}" for word in primaries.split())
    return f'operand() {{ case $1 in {known}) ;; -*) refuse "unknown primary $1" ;; esac; }}'


_FIND_AIX = _find(
    "a atime ctime depth exec group links mtime name newer nogroup nouser o ok perm print prune size type "
    "user xdev"
)
_FIND_MACOS = _find(
    "a atime ctime delete depth exec execdir group iname inum links ls maxdepth mindepth mtime name newer "
    "nogroup not nouser o ok path perm print print0 prune regex size type user x xdev"
)

# AIX. "XCU" is The Open Group's Base Specifications Issue 6 (POSIX.1-2004), Shell and Utilities, the page of
# that name; AIX 7.2 supports the Single UNIX Specification, Version 3, which it is part of (IBM's page
# "Base Operating System (BOS) Runtime Services"). The XCU lines are from memory. "IBM" is the page of that
# name in the AIX 7.2 commands reference.
AIX: Mapping[str, Utility] = {
    "awk": Utility(
        "F:v:f:", "XCU awk; the program is one-true-awk, which AIX's nawk comes from", "", "original-awk"
    ),
    "basename": Utility("", "XCU basename"),
    "cat": Utility("u", "XCU cat"),
    "chgrp": Utility("fhRHLP", "XCU chgrp; -f (from memory), as IBM chown has it"),
    "chmod": Utility("R", "XCU chmod"),
    "chown": Utility("fhRHLP", "IBM chown"),
    "cksum": Utility("", "XCU cksum"),
    "cmp": Utility("ls", "XCU cmp"),
    "comm": Utility("123", "XCU comm"),
    "cp": Utility("fiprRHLP", "XCU cp"),
    "csum": Utility("o:h:ai:", "IBM csum, whose list of algorithms is MD5 and SHA1", _CSUM, ""),
    "cut": Utility("b:c:d:f:ns", "XCU cut"),
    "date": Utility("u", "XCU date", _DATE),
    "dd": Utility("", "XCU dd"),
    "df": Utility("kPt", "XCU df"),
    "diff": Utility("bcC:efr", "XCU diff: -u came with Issue 7, and IBM's page has it; older AIX has not"),
    "dirname": Utility("", "XCU dirname"),
    "ed": Utility("p:s", "XCU ed"),
    "env": Utility("i", "XCU env", any_operand=True),
    "test": Utility("w:", "XCU test", any_operand=True),
    "expr": Utility("", "XCU expr", any_operand=True),
    "find": Utility("HL", "XCU find", _FIND_AIX, any_operand=True),
    "fold": Utility("bsw:", "XCU fold"),
    "grep": Utility("EFce:f:ilnqsvx", "XCU grep"),
    "head": Utility("n:", "XCU head"),
    "hostname": Utility("s", "IBM hostname (from memory)", _NAME),
    "id": Utility("Ggnru", "XCU id"),
    "install": Utility("c:f:imM:n:oO:G:sS", "IBM install: -m moves, and the mode is -M", _INSTALL, ""),
    "join": Utility("a:e:o:t:v:1:2:", "XCU join"),
    "kill": Utility("s:l", "XCU kill"),
    "ln": Utility("fs", "XCU ln"),
    "ls": Utility(
        "CFRacdilqrtu1HLfgmnopsx", "XCU ls; IBM ls marks nothing behind the mode but with -e and -U"
    ),
    "mkdir": Utility("m:p", "XCU mkdir"),
    "mv": Utility("fi", "XCU mv"),
    "nl": Utility("b:d:f:h:i:l:n:ps:v:w:", "XCU nl"),
    "od": Utility("A:bcdj:N:ost:vx", "XCU od"),
    "openssl": Utility("", "OpenSSL 1.0.2, of AIX's fileset openssl.base", _OPENSSL, any_operand=True),
    "paste": Utility("d:s", "XCU paste"),
    "printf": Utility("", "XCU printf", any_operand=True),
    "ps": Utility("aAdefG:g:ln:o:p:t:u:U:", "XCU ps"),
    "pwd": Utility("LP", "XCU pwd"),
    "rm": Utility("firR", "XCU rm"),
    "rmdir": Utility("p", "XCU rmdir"),
    "sed": Utility("e:f:n", "XCU sed", _SED),
    "sleep": Utility("", "XCU sleep"),
    "sort": Utility("bcdfik:mno:rt:u", "XCU sort"),
    "split": Utility("a:b:l:", "XCU split"),
    "sync": Utility("", "IBM sync (from memory)", _NO_OPERAND),
    "tail": Utility("fc:n:m:b:k:r", "IBM tail"),
    "tee": Utility("ai", "XCU tee"),
    "touch": Utility("acmr:t:", "XCU touch"),
    "tr": Utility("Ccds", "XCU tr"),
    "tty": Utility("s", "XCU tty"),
    "uname": Utility("amnrsv", "XCU uname"),
    "uniq": Utility("cdf:s:u", "XCU uniq"),
    "wc": Utility("clmw", "XCU wc; the columns are padded (IBM wc, from memory)", _WC_PADDED),
    "who": Utility("abdHlmpqrstTu", "XCU who"),
    "xargs": Utility("E:I:L:n:ps:tx", "XCU xargs", any_operand=True),
}

# macOS. Each line names the file whose getopt string it is, in the sources that Apple publishes on github.com
# (apple-oss-distributions): file_cmds-457, text_cmds-199, shell_cmds-329, patch_cmds. What is "from memory"
# has its source elsewhere.
MACOS: Mapping[str, Utility] = {
    "awk": Utility("F:v:f:", "one-true-awk (from memory: Apple's awk is that program)", "", "original-awk"),
    "basename": Utility("as:", "shell_cmds basename/basename.c"),
    "cat": Utility("belnstuv", "text_cmds cat/cat.c"),
    "chgrp": Utility("HLPRfhnvx", "file_cmds chown/chown.c"),
    "chmod": Utility("HLPRfhvACEINVX", "file_cmds chmod/chmod.c; the letters of modes are operands here"),
    "chown": Utility("HLPRfhnvx", "file_cmds chown/chown.c"),
    "cksum": Utility("o:", "file_cmds cksum/cksum.c"),
    "cmp": Utility("bhi:ln:sxz", "patch_cmds cmp/cmp.c"),
    "comm": Utility("123i", "text_cmds comm/comm.c"),
    "cp": Utility("HLPRacfilNnprSsvXx", "file_cmds cp/cp.c"),
    "cut": Utility("b:c:d:f:snw", "text_cmds cut/cut.c"),
    "date": Utility("f:jnRr:uv:z:", "shell_cmds date/date.c", _DATE_MACOS),
    "dd": Utility("", "file_cmds dd/dd.c"),
    "df": Utility("abcgHhIiklmnPT:Y", "file_cmds df/df.c"),
    "diff": Utility("aBbC:cdD:efHhI:iL:lnNPpqrS:sTtU:uwW:X:x:y", "patch_cmds diff/diff.c"),
    "dirname": Utility("", "shell_cmds dirname/dirname.c"),
    "ed": Utility("p:sx", "text_cmds ed/main.c"),
    "env": Utility("0iu:vC:P:S:", "shell_cmds env/env.c", any_operand=True),
    "test": Utility("w:", "shell_cmds test/test.c", any_operand=True),
    "expr": Utility("", "shell_cmds expr", any_operand=True),
    "find": Utility(
        "EHLPXdf:sx", "shell_cmds find/main.c; primaries from memory", _FIND_MACOS, any_operand=True
    ),
    "fold": Utility("bsw:", "text_cmds fold/fold.c"),
    "grep": Utility("A:B:C:EFGHIJLMOSRUVXZabcd:e:f:hilm:nopqrsuvwxyz", "text_cmds grep/grep.c"),
    "head": Utility("n:c:", "text_cmds head/head.c"),
    "hostname": Utility("fsd", "shell_cmds hostname/hostname.c", _NAME),
    "id": Utility("AFPGagnpru", "shell_cmds id/id.c"),
    "join": Utility("a:e:j:1:2:o:t:v:", "text_cmds join/join.c"),
    "kill": Utility("s:l", "XCU kill (from memory)"),
    "ln": Utility("FLPfhinsvw", "file_cmds ln/ln.c"),
    "ls": Utility("@1ABCFGHILOPRSTUWXabcdefghiklmnopqrstuvwxy%,", "file_cmds ls/ls.c and print.c", _LS_MACOS),
    "mkdir": Utility("m:pv", "file_cmds mkdir/mkdir.c"),
    "mktemp": Utility("dp:qt:u", "shell_cmds mktemp/mktemp.c", _MKTEMP),
    "mv": Utility("fhinv", "file_cmds mv/mv.c"),
    "nl": Utility("pb:d:f:h:i:l:n:s:v:w:", "text_cmds nl/nl.c"),
    "od": Utility("A:aBbcDdeFfHhIij:LlN:Oost:vXx", "shell_cmds hexdump/odsyntax.c"),
    "openssl": Utility("", "LibreSSL's openssl(1)", _OPENSSL, any_operand=True),
    "paste": Utility("d:s", "text_cmds paste/paste.c"),
    "printf": Utility("", "shell_cmds printf/printf.c", any_operand=True),
    "ps": Utility("AaCcdEefG:g:hjlMmO:o:p:rSTt:U:u:vwx", "ps(1) (from memory)"),
    "pwd": Utility("LP", "shell_cmds pwd/pwd.c"),
    "readlink": Utility("n", "file_cmds stat/stat.c, whose -f came with macOS 12.3"),
    "rm": Utility("dfiIPRrvWx", "file_cmds rm/rm.c"),
    "rmdir": Utility("pv", "file_cmds rmdir/rmdir.c"),
    "sed": Utility("EI:ae:f:i:lnru", "text_cmds sed/main.c", _SED_MACOS),
    "shasum": Utility("a:bctUp", "shasum(1) of Perl's Digest::SHA (from memory)", _SHASUM),
    "sleep": Utility("", "shell_cmds sleep/sleep.c"),
    "sort": Utility("bcCdfghik:Mmno:RrsS:t:T:uVz", "text_cmds sort/sort.c"),
    "split": Utility("a:b:cdl:n:p:", "text_cmds split/split.c"),
    "stat": Utility("f:FHLlnqrst:x", "file_cmds stat/stat.c", _STAT),
    "sync": Utility("", "sync(8) (from memory)", _NO_OPERAND),
    "tail": Utility("Fb:c:fn:qrv", "text_cmds tail/tail.c"),
    "tee": Utility("ai", "shell_cmds tee/tee.c"),
    "touch": Utility("A:acd:fhmr:t:", "file_cmds touch/touch.c"),
    "tr": Utility("Ccdsu", "text_cmds tr/tr.c"),
    "tty": Utility("s", "XCU tty"),
    "uname": Utility("amnoprsv", "shell_cmds uname/uname.c"),
    "uniq": Utility("cdf:is:u", "text_cmds uniq/uniq.c"),
    "wc": Utility("clmwL", "text_cmds wc/wc.c, which pads its columns", _WC_PADDED),
    "who": Utility("abdHlmpqrstTu", "shell_cmds who/who.c"),
    "xargs": Utility("0E:I:J:L:n:oP:pR:S:s:rtx", "shell_cmds xargs/xargs.c", any_operand=True),
}

SYSTEMS: Mapping[str, Mapping[str, Utility]] = {"aix": AIX, "macos": MACOS}

# How each system's getopt says no.
_WORDS = {"aix": "Not a recognized flag:", "macos": "illegal option --"}

# Written without any program but the shell, so that the shim costs no more than its start.
_SHIM = r"""#!{dash}
# {name} of {system}. Source: {source}
real={real} letters='' wanted='' state=options scratch={scratch}.$$
refuse() {{
    printf '%s\n' "{name}: $1" >>{refusals}
    printf '%s\n' "{name}: $1" 'Usage: {name} [-{plain}]' >&2
    exit 2
}}
value() {{ :; }}
operand() {{ :; }}
run() {{ exec "$real" "$@"; }}
sed={sed} rm={rm}
trap '[ ! -f "$scratch" ] || "$rm" -f "$scratch"' 0
{hooks}
for word do
    if [ -n "$wanted" ]; then value "$wanted" "$word"; wanted=''; continue; fi
    case $state$word in
        options--) state=free ;;
        options--*) refuse '{no} -' ;;
        options-?*)
            rest=${{word#-}}
            while [ -n "$rest" ]; do
                after=${{rest#?}} letter=${{rest%"${{rest#?}}"}}
                case $letter in
                    {cases}
                    *) refuse "{no} $letter" ;;
                esac
                letters=$letters$letter rest=$after
            done ;;
        options*) state={then}; operand "$word" ;;
        operands-?*) refuse "$word after an operand is an operand" ;;
        *) operand "$word" ;;
    esac
done
[ -z "$wanted" ] || refuse "option requires an argument -- $wanted"
run "$@"
"""


def _cases(options: str) -> tuple[str, str]:
    """Return the branches of a ``case`` for a getopt string, and the letters for a usage line."""
    plain, valued = "", ""
    for letter in options:
        if letter == ":":
            plain, valued = plain[:-1], valued + plain[-1]
        else:
            plain += letter
    branches = ""
    if valued:
        takes = 'if [ -n "$after" ]; then value "$letter" "$after"; after=""; else wanted=$letter; fi'
        branches += f"[{valued}]) {takes} ;;\n                    "
    if plain:
        branches += f"[{plain}]) ;;"
    return branches, plain + valued


@dataclass(frozen=True)
class Userland:
    """The commands of one system, below ``folder``."""

    system: str
    folder: Path

    @property
    def path(self) -> str:
        """The PATH that has these commands and no other."""
        return str(self.folder / "bin")

    def refused(self) -> list[str]:
        """What the commands have refused since this was last asked, even where nobody heard it."""
        log = self.folder / "refused"
        said = log.read_text().splitlines()
        log.write_text("")
        return said

    def without(self, *names: str) -> Userland:
        """Take commands away."""
        for name in names:
            (self.folder / "bin" / name).unlink()
        return self

    def add(self, name: str, script: str) -> Userland:
        """Add a command that is this dash script."""
        path = self.folder / "bin" / name
        path.write_text(f"#!{require('dash')}\n{script}\n")
        path.chmod(0o755)
        return self


def make_userland(system: str, folder: Path, shell: str = "dash") -> Userland:
    """Write the commands of ``system`` below ``folder``; its ``sh`` is ``shell``."""
    userland = Userland(system, folder)
    (folder / "bin").mkdir(parents=True)
    (folder / "refused").write_text("")
    for name, utility in SYSTEMS[system].items():
        branches, letters = _cases(utility.options)
        script = _SHIM.format(
            dash=require("dash"),
            name=name,
            system=system,
            source=utility.source,
            real=shlex.quote(require(utility.real or name)) if utility.real != "" else "",
            scratch=shlex.quote(str(folder / "scratch")),
            refusals=shlex.quote(str(folder / "refused")),
            plain=letters,
            sed=shlex.quote(require("sed")),
            rm=shlex.quote(require("rm")),
            hooks=utility.hooks,
            no=_WORDS[system],
            cases=branches,
            then="free" if utility.any_operand else "operands",
        )
        userland.add(name, script.partition("\n")[2])
    userland.add("sh", f'exec {require(shell)} "$@"')
    return userland
