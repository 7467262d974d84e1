"""What parser, model and engine report: pages only, the problems are found there."""

from __future__ import annotations

from ipmpki.diagnostics.problem import Severity
from ipmpki.rules.registry import reported_elsewhere


@reported_elsewhere(Severity.ERROR, cites="TOML 1.0.0, https://toml.io/en/v1.0.0")
def toml_syntax() -> None:
    """The file is not TOML, so a part of it cannot be read.

    ## What it finds

    A missing quote or bracket, a key given twice, a word without quotes, bytes that are not UTF-8. The
    statement is left out and the rest of the file is still checked.

    ## Who is hurt

    Nothing is built: what the unreadable line says is not known.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = server
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```
    """


@reported_elsewhere(Severity.ERROR, cites="ipmpki, schemas/pki.schema.json")
def unknown_key() -> None:
    """A key that pki.toml does not know.

    ## What it finds

    A misspelt key, or a key under the wrong table. Keys that follow a [table] header belong to that table.

    ## Who is hurt

    Without this error a misspelt key would be passed over, and the host would get a certificate that lacks
    what the key was to add.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    alias = ["print.example.com"]
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    aliases = ["print.example.com"]
    ```
    """


@reported_elsewhere(Severity.ERROR, cites="ipmpki, schemas/pki.schema.json")
def missing_key() -> None:
    """Something that must be declared is not there.

    ## What it finds

    A host without a name or a role; a file without a [ca] table; an authority without a name; a CA
    certificate without its key, or a key without its certificate.

    ## Who is hurt

    Nothing is built, as there is no value that could safely be assumed.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```
    """


@reported_elsewhere(Severity.ERROR, cites="ipmpki, schemas/pki.schema.json")
def wrong_type() -> None:
    """A value of another type than its key takes.

    ## What it finds

    Text without a list around it, a number without quotes, [hosts] in place of [[hosts]].

    ## Who is hurt

    Nothing is built, as what was meant can only be guessed.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = "10.1.2.3"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ips = ["10.1.2.3"]
    ```
    """


@reported_elsewhere(Severity.ERROR, cites="ipmpki, schemas/pki.schema.json")
def wrong_value() -> None:
    """A value that its key does not take.

    ## What it finds

    A word that is not one of the words allowed, a lifetime that is not a number with d, w, m or y, an
    empty text, a rule to ignore that does not exist.

    ## Who is hurt

    Nothing is built, as what was meant can only be guessed.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "printserver"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    ```
    """


@reported_elsewhere(
    Severity.ERROR, cites="NIST SP 800-131A Rev. 2, section 3; RFC 9325, section 4.5 (2048 bits at least)"
)
def key_too_weak() -> None:
    """An RSA key shorter than 2048 bits.

    ## What it finds

    A key type such as "rsa-1024", for a host, for all hosts or for the authority.

    ## Who is hurt

    Everybody who prints: such a key can be broken, and current TLS libraries refuse it, so the connection
    fails.

    ## Example

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    key = "rsa-1024"
    ```

    ## Instead

    ```toml
    [[hosts]]
    name = "ipm1.example.com"
    role = "server"
    key = "rsa-2048"
    ```
    """


@reported_elsewhere(Severity.ERROR, cites="ipmpki")
def file_unreadable() -> None:
    """A file that pki.toml names is not there, or cannot be read.

    ## What it finds

    A certificate, key or passphrase file that does not exist, a pattern of include that matches no file.
    Paths are relative to the folder of pki.toml.

    ## Who is hurt

    Nothing is built: hosts of a missing file would be taken for removed, and their certificates revoked.

    ## Example

    It comes of what is on the disk, such as include = ["sites/*.toml"] where no folder sites is.

    ## Instead

    Correct the path, or make the file readable for the account that runs ipmpki.
    """


@reported_elsewhere(Severity.WARNING, cites="ipmpki: a file is read once")
def include_without_effect() -> None:
    """A pattern of include brings in no further file.

    ## What it finds

    A pattern that matches pki.toml alone, or only files that patterns before it bring in. A file is read
    once, and pki.toml is left out where a pattern matches other files, too.

    ## Who is hurt

    Nobody directly; but other files may have been meant, and their hosts are missing.

    ## Example

    It comes of include = ["*.toml"] where all the sites lie in a folder of their own.

    ## Instead

    Name the files that hold further hosts: include = ["sites/*.toml"]
    """


@reported_elsewhere(Severity.WARNING, cites="ipmpki: errors keep a build from happening")
def ignored_error() -> None:
    """[rules] ignore names an error, and errors cannot be silenced.

    ## What it finds

    The name of an error in the list of rules to ignore. The error is reported all the same.

    ## Who is hurt

    Whoever reads pki.toml and believes that the rule is off.

    ## Example

    ```toml
    [rules]
    ignore = ["ip-invalid"]
    ```

    ## Instead

    ```toml
    [rules]
    ignore = ["single-label-alias"]
    ```
    """


@reported_elsewhere(Severity.ERROR, cites="ipmpki")
def internal_error() -> None:
    """A rule broke down: a mistake in ipmpki, not in pki.toml.

    ## What it finds

    A rule that failed while it judged the declaration. All other rules were run.

    ## Who is hurt

    What that rule would have found stays unknown, so nothing is built.

    ## Example

    It comes of ipmpki's own mistakes only. Please report it with the name of the rule and the line shown.

    ## Instead

    Until it is mended, write the line it points at in another way, or use another version of ipmpki.
    """
