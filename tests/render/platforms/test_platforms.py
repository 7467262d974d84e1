"""The facts of each operating system, as the vendor's table has them."""

from __future__ import annotations

import pytest

from ipmpki.declaration.vocabulary import OperatingSystem
from ipmpki.render.platforms import Dialect, platform_of

TLS_FOLDERS = {
    OperatingSystem.AIX: ("/var/pddir/default_cell/ssl", "/etc/ipm"),
    OperatingSystem.LINUX: ("/var/pddir/default_cell/ssl", "/etc/ipm"),
    OperatingSystem.WINDOWS: (r"%ProgramData%\RICOH\InfoPrint Manager\var\pddir\ssl", r"%windir%\ipm"),
    OperatingSystem.MACOS: (None, "/etc/ipm"),
}


@pytest.mark.parametrize("system", OperatingSystem)
def test_every_system_has_the_vendors_folders(system: OperatingSystem) -> None:
    platform = platform_of(system)
    assert platform.os is system
    assert (platform.server_folder, platform.client_folder) == TLS_FOLDERS[system]
    assert (platform.server_sample is None) is (platform.server_folder is None)


@pytest.mark.parametrize("system", OperatingSystem)
def test_only_windows_speaks_powershell(system: OperatingSystem) -> None:
    expected = Dialect.POWERSHELL if system is OperatingSystem.WINDOWS else Dialect.SH
    assert platform_of(system).dialect is expected


@pytest.mark.parametrize("system", OperatingSystem)
def test_no_advice_makes_a_new_server_of_a_mistyped_name(system: OperatingSystem) -> None:
    """``startsrv -F`` makes a new server of a mistyped name, so it is named only to warn of it."""
    advice = platform_of(system).server_restart
    assert "startsrv -F" not in advice
    assert "-F" not in advice or "never with -F" in advice
