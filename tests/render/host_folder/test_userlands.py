"""install.sh with the commands of AIX and macOS alone, and that those commands are no more than theirs."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ipmpki.declaration.fleet import KeywordNames
from tests.extent import mostly_exhaustive
from tests.render.host_folder.bundles import bundle_of, write_folder
from tests.render.host_folder.installation import (
    CLIENT,
    CLIENT_SAMPLE,
    SAMPLE,
    SERVER,
    SERVER_SAMPLE,
    public_sight,
    sight,
)
from tests.render.host_folder.userland import SYSTEMS, Userland, make_userland
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from ipmpki.render.host_folder.contents import HostBundle
    from tests.render.conftest import Prepare
    from tests.render.host_folder.installation import Installation

# ---- the sandboxes themselves ----------------------------------------------------------------------------

REFUSED = {
    "aix": (
        "install -D f g",
        "install -m 644 f g",
        "cp --preserve=mode f g",
        "cp f g -p",
        "cp -a f g",
        "mv -n f g",
        "sed -i s/a/b/ f",
        "sed -E s/a/b/ f",
        r"sed 's/\(a\|x\)/b/' f",
        r"sed 's/a\+/b/' f",
        r"sed 's/a/\t/' f",
        "date -d now",
        "date -j",
        "date 0101000099",
        "stat f",
        "stat -c %a f",
        "mktemp",
        "sha256sum f",
        "shasum f",
        "readlink -f f",
        "readlink f",
        "realpath f",
        "grep -P a f",
        "grep -m 1 a f",
        "grep -r a .",
        "grep --quiet a f",
        "ls --full-time f",
        "diff -u f g",
        "head -c 1 f",
        "csum -h SHA256 f",
        "find . -maxdepth 1",
        "find . -print0",
        "awk 'BEGIN { print strftime() }'",
        "awk --version",
        "sort -V f",
        "touch -d now f",
        "chmod --reference=f g",
        "hostname another",
        "openssl dgst -r -sha256 f",
        "seq 3",
        "tac f",
    ),
    "macos": (
        "sed -i s/a/b/ f",
        "sed -r --posix s/a/b/ f",
        r"sed 's/a\+/b/' f",
        "stat -c %a f",
        "stat --format %a f",
        "date -d now",
        "date --utc",
        "readlink -f f",
        "cp --preserve=mode f g",
        "cp f g -p",
        "cp -t . f",
        "mv -T f g",
        "sha256sum f",
        "grep -P a f",
        "csum f",
        "ls --full-time f",
        "find . -printf %p",
        "awk 'BEGIN { print strftime() }'",
        "tac f",
        "install -D f g",
        "mktemp --suffix=x",
    ),
}
"""Commands in a folder with the files f (a line "a") and g (empty) that the system's own would refuse."""

WORKS = {
    "aix": {
        "cp -p f g && cat g": "a\n",
        "cp -- f g": "",
        "cp -pR . ../copy && cat ../copy/f": "a\n",
        "sed -n -e 's/^a$/[&]/p' f": "[a]\n",
        "sed -e 1d -e 's/a/b/' f": "",
        "wc -l <f": "       1\n",
        "tail -c 1 f": "\n",
        "head -n 1 f": "a\n",
        "echo aB | tr '[:upper:]' '[:lower:]'": "ab\n",
        "grep -n '^a' f": "1:a\n",
        "cmp -s f g || echo differ": "differ\n",
        "diff f g": "1d0\n< a\n",
        "csum -h MD5 f": "60b725f10c9c85c70d97880dfe8191b3  f\n",
        "csum f": "60b725f10c9c85c70d97880dfe8191b3  f\n",
        "csum -h SHA1 f": "3f786850e387550fdab836ed7e6dc881de23001b  f\n",
        "openssl dgst -sha256 <f": "(stdin)= "
        "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7\n",
        "mkdir -p d/e && rmdir d/e d": "",
        "chmod 600 f && set -- $(ls -ldn f) && printf '%s\\n' $1": "-rw-------\n",
        "printf '%s\\n' -x": "-x\n",
        "awk -v x=1 -F: 'BEGIN { print x }'": "1\n",
        "sh -c 'echo sh'": "sh\n",
        "find . -type f -name f -print": "./f\n",
        "id -u": f"{os.geteuid()}\n",
        "sync": "",
    },
    "macos": {
        "sed -i '' s/a/b/ f && cat f": "b\n",
        "sed -i .old s/a/b/ f && cat f f.old": "b\na\n",
        "sed -E 's/(a)/[\\1]/' f": "[a]\n",
        "date -u -r 0 +%Y": "1970\n",
        "date -u -j -r 86400 +%d": "02\n",
        "chmod 640 f && stat -f %Lp f": "640\n",
        "shasum -a 256 <f": "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7  -\n",
        "openssl dgst -sha256 <f": "(stdin)= "
        "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7\n",
        "chmod 600 f && set -- $(ls -ldn f) && printf '%s\\n' $1": "-rw-------@\n",
        "x=$(mktemp -d -t ipm) && rmdir $x": "",
        "ln -s f link && readlink link": "f\n",
        "wc -l <f": "       1\n",
        "diff -u f g | tail -n 1": "-a\n",
        "head -c 1 f": "a",
        "grep -m 1 a f": "a\n",
        "find . -maxdepth 1 -name f": "./f\n",
        "sh -c 'echo sh'": "sh\n",
    },
}
"""Commands that the system documents, and what they say."""


def run_in(userland: Userland, folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run ``command`` in a folder with two files, with the commands of ``userland`` only."""
    folder.mkdir()
    (folder / "f").write_text("a\n")
    (folder / "g").write_text("")
    return subprocess.run(
        [require("dash"), "-c", command],
        cwd=folder,
        env={"PATH": userland.path, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("system", REFUSED)
def test_a_sandbox_refuses_what_its_system_does_not_know(tmp_path: Path, system: str) -> None:
    userland = make_userland(system, tmp_path / "land")
    for number, command in enumerate(REFUSED[system]):
        done = run_in(userland, tmp_path / str(number), command)
        assert done.returncode in {1, 2, 127}, command
        assert done.stderr != "", command
        assert done.stdout == "", command
        assert (tmp_path / str(number) / "f").read_text() == "a\n"
        assert (tmp_path / str(number) / "g").read_text() == ""
        # Either the command is not there, or it has refused, or its own program has.
        heard = bool(userland.refused())
        assert heard == ("Usage" in done.stderr), command


@pytest.mark.parametrize("system", WORKS)
def test_a_sandbox_does_what_its_system_documents(tmp_path: Path, system: str) -> None:
    userland = make_userland(system, tmp_path / "land")
    for number, (command, says) in enumerate(WORKS[system].items()):
        done = run_in(userland, tmp_path / str(number), command)
        assert (done.stdout, done.stderr) == (says, ""), command
    assert userland.refused() == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_sandbox_speaks_in_its_systems_words_and_nothing_silences_it(tmp_path: Path, system: str) -> None:
    userland = make_userland(system, tmp_path / "land")
    done = run_in(userland, tmp_path / "folder", "cp --preserve=mode f g; cp -Z f g 2>/dev/null")
    words = {"aix": "Not a recognized flag:", "macos": "illegal option --"}[system]
    assert done.stderr.splitlines()[0] == f"cp: {words} -"
    assert userland.refused() == [f"cp: {words} -", f"cp: {words} Z"]


# ---- a whole life in each --------------------------------------------------------------------------------

KEYWORDS = KeywordNames(ca_file="CAFile", mutual_auth="VerifyClient=require")

COMPLAINTS = (
    "not found",
    "usage",
    "refused",
    "recognized flag",
    "illegal option",
    "unknown option",
    "cannot",
)


def settle(installation: Installation, userland: Userland | None, *options: str, status: int = 0) -> str:
    """Run install.sh; no command may have refused anything, aloud or unheard."""
    said = installation.run(*options, status=status)
    for complaint in COMPLAINTS:
        assert complaint not in said.lower()
    if userland is not None:
        assert userland.refused() == []
    return said


def live(installation: Installation, userland: Userland | None, renewed: HostBundle) -> None:
    """Install, again, verify, renew, roll back, renew, uninstall; the renewal is ``renewed``."""
    root = installation.root
    start = public_sight(root)
    before = sight(root)
    assert "would change" in settle(installation, userland, "--dry-run")
    assert sight(root) == before

    assert ": changed\n" in settle(installation, userland)
    installed, first = sight(root), public_sight(root)
    assert "already up to date" in settle(installation, userland)
    assert "nothing differs" in settle(installation, userland, "--verify")
    assert sight(root) == installed

    write_folder(renewed, installation.folder)
    assert "other content" in settle(installation, userland, "--verify", status=1)
    settle(installation, userland)
    second = public_sight(root)
    assert second != first
    settle(installation, userland, "--rollback")
    assert public_sight(root) == first
    settle(installation, userland)
    assert public_sight(root) == second

    settle(installation, userland, "--uninstall")
    after = public_sight(root)
    assert {name: marks for name, marks in after.items() if name in start} == start
    assert not [name for name in after if name not in start and (root / name).is_file()]
    assert not list(root.rglob(".ipmpki*"))


class Life(NamedTuple):
    """Where a host lives, and what it is."""

    system: str
    shell: str
    role: str
    mutual: bool


LIVES_EVERY_TIME = (Life("aix", "ksh", "server", mutual=True),)
LIVES = (
    *(Life("aix", shell, "server", mutual) for shell in ("mksh", "ksh") for mutual in (True, False)),
    *(Life("aix", shell, "client", mutual) for shell in ("mksh", "ksh") for mutual in (True, False)),
    *(Life("macos", shell, "client", mutual=True) for shell in ("bash", "zsh", "dash")),
    *(Life("macos", shell, "client", mutual=False) for shell in ("bash", "zsh", "dash")),
)


@pytest.mark.parametrize(
    "life",
    mostly_exhaustive(LIVES, every_time=LIVES_EVERY_TIME),
    ids=lambda life: f"{life.system}-{life.shell}-{life.role}-{'mutual' if life.mutual else 'plain'}",
)
def test_install_sh_lives_on_the_commands_of_its_system(prepare: Prepare, tmp_path: Path, life: Life) -> None:
    def bundle(label: str) -> HostBundle:
        return bundle_of(life.role, life.system, mutual=life.mutual, keywords=KEYWORDS, label=label)

    userland = make_userland(life.system, tmp_path / "land", life.shell)
    installation = prepare(bundle("first"), life.shell)
    installation.env = {"PATH": userland.path}
    crlf = SAMPLE.replace(b"\n", b"\r\n")
    if life.role == "server":
        installation.write(SERVER_SAMPLE, crlf)
        installation.write(f"{SERVER}/server-cert.pem", b"bought long ago\n", 0o640)
    else:
        installation.write(CLIENT_SAMPLE, crlf)
        installation.write(f"{CLIENT}/ipmssl.cfg", b"; by hand\r\nEnableTLS 0\r\n", 0o600)
    live(installation, userland, bundle("second"))


def test_install_sh_needs_no_printf(prepare: Prepare, tmp_path: Path) -> None:
    """ksh88, AIX's shell, has none of its own, nor has mksh."""
    userland = make_userland("aix", tmp_path / "land", "mksh").without("printf")
    installation = prepare(bundle_of(os="aix"), "mksh")
    installation.env = {"PATH": userland.path}
    installation.write(SERVER_SAMPLE, SAMPLE)
    assert "\n        +EnableTLS = 1\n" in settle(installation, userland, "--dry-run")
    settle(installation, userland)
    settle(installation, userland, "--verify")


def test_the_restart_command_runs_in_the_systems_sh(prepare: Prepare, tmp_path: Path) -> None:
    userland = make_userland("aix", tmp_path / "land", "mksh")
    installation = prepare(bundle_of(os="aix", restart="echo 50% done; uname -n >/dev/null"), "mksh")
    installation.env = {"PATH": userland.path}
    assert "\n50% done\n" in settle(installation, userland, "--restart")


# ---- digests ---------------------------------------------------------------------------------------------


def real(tool: str) -> str:
    """A command that is this machine's own, for what AIX's Toolbox or a shop may have added."""
    return f'PATH={os.environ["PATH"]} exec {shutil.which(tool) or tool} "$@"'


CANNOT_START = "echo exec: cannot load libcrypto.a >&2; exit 127"


class Tools(NamedTuple):
    """Commands that a system has not after all, and scripts that it has besides."""

    system: str
    taken: tuple[str, ...] = ()
    added: tuple[tuple[str, str], ...] = ()

    def make(self, folder: Path) -> Userland:
        userland = make_userland(self.system, folder).without(*self.taken)
        for name, script in self.added:
            userland.add(name, script)
        return userland


@pytest.mark.parametrize(
    "tools",
    mostly_exhaustive(
        [
            Tools("aix"),
            Tools("aix", ("openssl",), (("sha256sum", real("sha256sum")),)),
            Tools("aix", ("openssl",), (("shasum", real("shasum")),)),
            Tools(
                "aix",
                ("openssl",),
                (("csum", f'[ "$1 $2" = "-h SHA256" ] && shift 2 && {real("sha256sum")}'),),
            ),
            Tools("aix", (), (("openssl", CANNOT_START), ("sha256sum", real("sha256sum")))),
            Tools("macos"),
            Tools("macos", ("openssl",)),
            Tools("macos", ("openssl", "shasum"), (("sha256sum", real("sha256sum")),)),
        ],
        every_time=[Tools("aix"), Tools("macos")],
    ),
)
def test_a_digest_comes_from_whichever_tool_there_is(prepare: Prepare, tmp_path: Path, tools: Tools) -> None:
    userland = tools.make(tmp_path / "land")
    installation = prepare(bundle_of("client", tools.system))
    installation.env = {"PATH": userland.path}
    settle(installation, userland)
    ca = installation.folder / "ca-cert.pem"
    ca.write_bytes(ca.read_bytes() + b"\n")
    assert "ca-cert.pem" in installation.run(status=4)


@pytest.mark.parametrize(
    "tools",
    mostly_exhaustive(
        [
            Tools("aix", ("openssl",)),  # csum is there, but does MD5 and SHA-1 only
            Tools("aix", ("openssl", "csum")),
            Tools("aix", (), (("openssl", CANNOT_START),)),
            Tools("macos", ("openssl", "shasum")),
            Tools("macos", ("shasum",), (("openssl", "echo '(stdin)= d41d8cd98f00b204e9800998ecf8427e'"),)),
        ],
        every_time=[Tools("aix", ("openssl",))],
    ),
)
def test_without_any_tool_for_sha256_it_says_so_and_changes_nothing(
    prepare: Prepare, tmp_path: Path, tools: Tools
) -> None:
    userland = tools.make(tmp_path / "land")
    installation = prepare(bundle_of("client", tools.system))
    installation.env = {"PATH": userland.path}
    known = {"aix": "openssl sha256sum shasum csum", "macos": "openssl shasum sha256sum"}[tools.system]
    for option in ((), ("--dry-run",), ("--verify",)):
        said = installation.run(*option, status=1)
        assert f"none of {known} computes a SHA-256" in said
        assert "Nothing was changed" in said
    assert list(installation.root.iterdir()) == []


# ---- whole userlands that are not GNU's ------------------------------------------------------------------


def applets(program: str, folder: Path, lacking: dict[str, str]) -> str:
    """Make a PATH of nothing but the applets of ``program``, and of ``lacking``, and return it."""
    listed = subprocess.run(
        [require(program), *(["--list"] if program == "busybox" else [])],
        capture_output=True,
        text=True,
        check=True,
    )
    folder.mkdir()
    for name in listed.stdout.split():
        (folder / name).symlink_to(require(program))
    for name, tool in lacking.items():
        if not (folder / name).exists():
            (folder / name).symlink_to(require(tool))
    return str(folder)


LACKING = {
    "busybox": {},
    "toybox": {"awk": "original-awk", "diff": "busybox", "tr": "busybox", "sh": "dash"},
}
"""What Debian builds the program without, and what stands in."""


@pytest.mark.parametrize("program", mostly_exhaustive(LACKING, every_time=["busybox"]))
@pytest.mark.parametrize("role", mostly_exhaustive(["client", "server"], every_time=["client"]))
def test_install_sh_lives_on_a_userland_that_is_not_gnu(
    prepare: Prepare, tmp_path: Path, program: str, role: str
) -> None:
    def bundle(label: str) -> HostBundle:
        return bundle_of(role, mutual=True, keywords=KEYWORDS, label=label)

    installation = prepare(bundle("first"), "busybox" if program == "busybox" else "dash")
    installation.env = {"PATH": applets(program, tmp_path / "applets", LACKING[program])}
    installation.write(SERVER_SAMPLE, SAMPLE)
    installation.write(CLIENT_SAMPLE, SAMPLE)
    installation.write(f"{CLIENT}/ca-cert.pem", b"the vendor's\n")
    live(installation, None, bundle("second"))
