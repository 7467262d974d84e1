r"""Windows. Facts: the table "Files and folders" of the vendor facts.

Paths keep their environment variables (``%ProgramData%``): the script expands them on the host. The
samples stand below InfoPrint Manager's install folder, whose place is not known here; ``INSTALL_FOLDER``
marks it, and the script has to find it or do without the sample.
"""

from __future__ import annotations

from ipmpki.declaration.vocabulary import OperatingSystem
from ipmpki.render.platforms.definition import Dialect, Platform
from ipmpki.render.prose import Code

INSTALL_FOLDER = "<install dir>"
"""Stands at the head of the samples' paths, as in the vendor's table, for a folder known only on the host."""

PLATFORM = Platform(
    os=OperatingSystem.WINDOWS,
    # PowerShell 5.1 comes with Windows; 7 may be there too.
    dialect=Dialect.POWERSHELL,
    separator="\\",
    server_folder=r"%ProgramData%\RICOH\InfoPrint Manager\var\pddir\ssl",
    server_sample=INSTALL_FOLDER + r"\cfg-samples\ssl\server\ipmssl.cfg",
    # C:\Windows\ipm in the vendor's page; %windir%\ipm says the same where Windows stands elsewhere.
    client_folder=r"%windir%\ipm",
    # "by analogy" in the table.
    client_sample=INSTALL_FOLDER + r"\cfg-samples\ssl\client\ipmssl.cfg",
    # "client, per user" in the table.
    user_folder=r"%APPDATA%\Ricoh\InfoPrint Manager\ssl",
    # The group, by what it is called in English; a script should use its SID, S-1-5-32-544.
    superuser="Administrators",
    # Both come with Windows; certutil serves where Get-FileHash is forbidden by policy.
    digest_tools=("Get-FileHash", "certutil"),
    # A service whose name is unknown, so the console's menu ("Accounts, starting and stopping").
    server_restart=(
        "stop the server in the InfoPrint Manager Management Console (File, Stop Server) and start it again"
    ),
    # The vendor's page, step 6: "Restart each computer where the ca-cert.pem file has been copied."
    client_restart="restart this computer, as the vendor asks wherever ca-cert.pem was copied",
    install_command="install.cmd, as administrator",
    how_to_install=("There, right-click ", Code("install.cmd"), " and choose Run as administrator."),
)
