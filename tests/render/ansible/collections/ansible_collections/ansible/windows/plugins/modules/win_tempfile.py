#!/usr/bin/python
"""Stands in for ansible.windows.win_tempfile, with the parameters that one has."""

from __future__ import annotations

import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: win_tempfile
short_description: a stand-in
options:
  state: {type: str, choices: [directory, file], default: file}
  path: {type: path}
  prefix: {type: str, default: ansible.}
  suffix: {type: str, default: ""}
"""


def main() -> None:
    module = AnsibleModule(
        {
            "state": {"type": "str", "choices": ["directory", "file"], "default": "file"},
            "path": {"type": "path"},
            "prefix": {"type": "str", "default": "ansible."},
            "suffix": {"type": "str", "default": ""},
        }
    )
    assert module.params["state"] == "directory"
    made = tempfile.mkdtemp(module.params["suffix"], module.params["prefix"], module.params["path"])
    module.exit_json(changed=True, path=made)


if __name__ == "__main__":
    main()
