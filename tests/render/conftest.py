"""Fixtures of the rendering tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest
from filelock import FileLock

from tests.render.browser import chromium
from tests.render.host_folder.bundles import bundle_of, write_folder
from tests.render.host_folder.installation import Installation
from tests.render.host_folder.powershell import PowerShell, WindowsHost
from tests.render.host_folder.windows_machine import WindowsMachine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from ipmpki.render.host_folder.contents import HostBundle


class Prepare(Protocol):
    """Writes a bundle's folder (the default: a server's on Linux) and returns its installation."""

    def __call__(self, bundle: HostBundle | None = None, shell: str = "dash") -> Installation: ...


@pytest.fixture
def prepare(tmp_path: Path) -> Prepare:
    """Folders and roots have a blank and a quote in their names, as people's have."""

    def prepare(bundle: HostBundle | None = None, shell: str = "dash") -> Installation:
        folder = write_folder(bundle or bundle_of(), tmp_path / "carried by Jo's stick")
        root = tmp_path / "ro'ot dir"
        root.mkdir(exist_ok=True)
        return Installation(folder, root, shell)

    return prepare


@pytest.fixture(scope="session")
def linux_powershell() -> Iterator[PowerShell]:
    """One PowerShell for Linux for all tests of this process."""
    shell = PowerShell.on_linux()
    yield shell
    shell.close()


@pytest.fixture(scope="session")
def windows_powershell() -> Iterator[PowerShell]:
    """One PowerShell under wine for all tests of this process, in the Windows that others use, too."""
    shell = PowerShell.under_wine({})
    yield shell
    shell.close()


@pytest.fixture
def machine(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, windows_powershell: PowerShell
) -> Iterator[WindowsMachine]:
    """All processes of a test run share one Windows, and use it one at a time."""
    with FileLock(tmp_path_factory.getbasetemp().parent / "windows.lock"):
        machine = WindowsMachine(windows_powershell, tmp_path)
        machine.clean()
        yield machine
        machine.clean()


class PrepareWindows(Protocol):
    """Writes a bundle's folder (the default: a server's) and returns the host."""

    def __call__(self, bundle: HostBundle | None = None, *, name: str = "carried") -> WindowsHost: ...


@pytest.fixture
def windows_host(tmp_path: Path, linux_powershell: PowerShell) -> PrepareWindows:
    """Folders and roots have a blank and a quote in their names, as people's have."""

    def prepare(bundle: HostBundle | None = None, *, name: str = "carried") -> WindowsHost:
        folder = write_folder(bundle or bundle_of(os="windows"), tmp_path / f"{name} by Jo's stick")
        root = tmp_path / "ro'ot [dir]"
        root.mkdir(exist_ok=True)
        return WindowsHost(linux_powershell, folder, root)

    return prepare


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of a module; not longer, as its event loop is in the way of others' loops."""
    with chromium() as browser:
        yield browser
