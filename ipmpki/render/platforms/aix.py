"""AIX. Facts: the table "Files and folders" and "Utilities on AIX and macOS" of the vendor facts."""

from __future__ import annotations

from ipmpki.declaration.vocabulary import OperatingSystem
from ipmpki.render.platforms.definition import Dialect, Platform
from ipmpki.render.prose import Code

PLATFORM = Platform(
    os=OperatingSystem.AIX,
    # /bin/sh is ksh88 ("Utilities on AIX and macOS").
    dialect=Dialect.SH,
    separator="/",
    # The server's TLS folder and its sample ("Files and folders").
    server_folder="/var/pddir/default_cell/ssl",
    server_sample="/usr/lpp/pd/cfg-samples/ssl/server/ipmssl.cfg",
    # The folder whose client file the administrator enforces, and where the vendor's page wants ca-cert.pem.
    client_folder="/etc/ipm",
    client_sample="/usr/lpp/pd/cfg-samples/ssl/client/ipmssl.cfg",
    # "client, per user" ("Files and folders").
    user_folder="~/.ipm",
    # "AIX: installed as root" ("Accounts, starting and stopping"); a server may run as another account,
    # which the declaration names.
    superuser="root",
    # openssl first: csum is known to do MD5 and SHA-1 only ("Utilities on AIX"), so what it says for SHA-256
    # is believed only if it looks like one. The others come with the AIX Toolbox, where that is installed.
    digest_tools=("openssl", "sha256sum", "shasum", "csum"),
    # pdshutdown stops and startsrv starts; never startsrv -F, which creates a server out of a mistyped name.
    server_restart=(
        "stop the server with 'pdshutdown ServerName' and start it with 'startsrv ServerName' "
        "(never with -F, which makes a new server of a mistyped name)"
    ),
    # The vendor's page, step 6: "Restart each computer where the ca-cert.pem file has been copied."
    client_restart="restart this computer, as the vendor asks wherever ca-cert.pem was copied",
    # sudo comes with the AIX Toolbox, where that is installed.
    how_to_install=("There, run ", Code("sh install.sh"), " as root, or ", Code("sudo sh install.sh"), "."),
)
