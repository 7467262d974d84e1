#!/usr/bin/python
"""Stands in for ansible.windows.win_copy, with the parameters that one has: the contents of one folder."""

from __future__ import annotations

import shutil

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: win_copy
short_description: a stand-in
options:
  src: {type: path}
  dest: {type: path, required: true}
  content: {type: str}
  decrypt: {type: bool, default: true}
  backup: {type: bool, default: false}
  force: {type: bool, default: true}
  local_follow: {type: bool, default: true}
  remote_src: {type: bool, default: false}
"""


def main() -> None:
    flag = {"type": "bool"}
    module = AnsibleModule(
        {
            "src": {"type": "path"},
            "dest": {"type": "path", "required": True},
            "content": {"type": "str"},
            **dict.fromkeys(("decrypt", "backup", "force", "local_follow", "remote_src"), flag),
        }
    )
    source, target = module.params["src"], module.params["dest"]
    assert source.endswith("/"), "without it, win_copy would copy the folder and not what is in it"
    assert target.endswith("\\"), "without it, win_copy would not take it for a folder"
    shutil.copytree(source, target.rstrip("\\"), dirs_exist_ok=True)
    module.exit_json(changed=True, operation="folder_copy")


if __name__ == "__main__":
    main()
