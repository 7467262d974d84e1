#!/usr/bin/python
"""Stands in for ansible.windows.win_file, with the parameters that one has: it removes."""

from __future__ import annotations

import shutil

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: win_file
short_description: a stand-in
options:
  path: {type: path, required: true, aliases: [dest, name]}
  state: {type: str, choices: [absent, directory, file, touch]}
"""


def main() -> None:
    states = ["absent", "directory", "file", "touch"]
    module = AnsibleModule(
        {
            "path": {"type": "path", "required": True, "aliases": ["dest", "name"]},
            "state": {"type": "str", "choices": states},
        }
    )
    assert module.params["state"] == "absent"
    shutil.rmtree(module.params["path"])
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
