"""macOS, which runs clients only. Facts: the table "Files and folders" of the vendor facts."""

from __future__ import annotations

from ipmpki.declaration.vocabulary import OperatingSystem
from ipmpki.render.platforms.definition import Dialect, Platform

PLATFORM = Platform(
    os=OperatingSystem.MACOS,
    # /bin/sh is bash 3.2 in POSIX mode, or dash.
    dialect=Dialect.SH,
    separator="/",
    # "no server" ("Files and folders").
    server_folder=None,
    server_sample=None,
    client_folder="/etc/ipm",
    # The table says "by analogy": nobody has seen this path, so the script does well without the file.
    client_sample="/usr/lpp/pd/cfg-samples/ssl/client/ipmssl.cfg",
    # "client, per user" ("Files and folders").
    user_folder="~/.ipm",
    superuser="root",
    # "shasum -a 256" ("Utilities on AIX and macOS"); openssl there is LibreSSL and does as well.
    digest_tools=("openssl", "shasum", "sha256sum"),
    server_restart="",
    # The vendor's page, step 6: "Restart each computer where the ca-cert.pem file has been copied."
    client_restart="restart this computer, as the vendor asks wherever ca-cert.pem was copied",
)
