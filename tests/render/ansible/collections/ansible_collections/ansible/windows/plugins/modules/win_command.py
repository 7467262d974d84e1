#!/usr/bin/python
"""Stands in for ansible.windows.win_command, with the parameters that one has, and for install.ps1.

What it is called with goes into ROOT/calls, a line of JSON a call; ROOT/installed holds what was installed.
"""

from __future__ import annotations

import json
import pathlib

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: win_command
short_description: a stand-in
options:
  argv: {type: list, elements: str}
  chdir: {type: path}
  cmd: {type: str}
  creates: {type: path}
  removes: {type: path}
  stdin: {type: str}
  output_encoding_override: {type: str}
"""


def main() -> None:
    text = {"type": "str"}
    module = AnsibleModule(
        {
            "argv": {"type": "list", "elements": "str"},
            "chdir": {"type": "path"},
            **dict.fromkeys(("cmd", "creates", "removes", "stdin", "output_encoding_override"), text),
        }
    )
    argv = module.params["argv"]
    if argv[0].endswith("\\icacls.exe"):
        assert list(pathlib.Path(argv[1]).iterdir()) == [], "it is closed before anything is copied into it"
        (pathlib.Path(argv[1]) / ".rights").write_text(" ".join(argv[2:]))
        module.exit_json(changed=True, rc=0, stdout="", stdout_lines=[], cmd=" ".join(argv))
    folder = pathlib.Path(module.params["chdir"])
    root = pathlib.Path(argv[argv.index("-Root") + 1])
    root.mkdir(parents=True, exist_ok=True)
    with (root / "calls").open("a") as calls:
        calls.write(
            json.dumps(
                {
                    "argv": argv,
                    "rights": (folder / ".rights").read_text(),
                    "files": sorted(path.name for path in folder.iterdir() if path.name != ".rights"),
                }
            )
            + "\n"
        )
    manifest, installed = (folder / "manifest.json").read_bytes(), root / "installed"
    host = json.loads(manifest)["host"]
    status, words = 0, f"{host}: already up to date."
    if (folder / "broken").exists():
        status, words = 4, ""
    elif not installed.exists() or installed.read_bytes() != manifest:
        words = f"{host}: changed"
        if "-DryRun" in argv:
            words = f"{host}: this would change"
        elif "-Verify" in argv:
            status, words = 1, f"{host}: differs"
        else:
            installed.write_bytes(manifest)
    found = {"rc": status, "stdout": words, "stdout_lines": words.splitlines(), "cmd": " ".join(argv)}
    if status:
        module.fail_json(msg="non-zero return code", **found)
    module.exit_json(changed=True, **found)


if __name__ == "__main__":
    main()
