"""Linux. Facts: the table "Files and folders" and "Accounts, starting and stopping" of the vendor facts."""

from __future__ import annotations

from ipmpki.declaration.vocabulary import OperatingSystem
from ipmpki.render.platforms.definition import Dialect, Platform

PLATFORM = Platform(
    os=OperatingSystem.LINUX,
    # /bin/sh is dash, bash or busybox: POSIX sh is what they share.
    dialect=Dialect.SH,
    separator="/",
    # The same folders and samples as on AIX ("Files and folders").
    server_folder="/var/pddir/default_cell/ssl",
    server_sample="/usr/lpp/pd/cfg-samples/ssl/server/ipmssl.cfg",
    client_folder="/etc/ipm",
    client_sample="/usr/lpp/pd/cfg-samples/ssl/client/ipmssl.cfg",
    # "client, per user" ("Files and folders").
    user_folder="~/.ipm",
    # /etc is root's. The server was seen running as ipm1, or as a user whose primary group is sys
    # ("Accounts, starting and stopping"): so its key's owner is declared, never taken from here.
    superuser="root",
    # Coreutils and busybox bring sha256sum; shasum comes with perl.
    digest_tools=("sha256sum", "openssl", "shasum"),
    # As on AIX ("Accounts, starting and stopping").
    server_restart=(
        "stop the server with 'pdshutdown ServerName' and start it with 'startsrv ServerName' "
        "(never with -F, which makes a new server of a mistyped name)"
    ),
    # The vendor's page, step 6: "Restart each computer where the ca-cert.pem file has been copied."
    client_restart="restart this computer, as the vendor asks wherever ca-cert.pem was copied",
)
