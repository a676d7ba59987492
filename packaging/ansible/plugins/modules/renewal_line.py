"""Takes a line that runs ``certbot renew``, and nothing else of use, out of a file of cron's."""

from __future__ import annotations

import os
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.certbot_jprs.certbot.plugins.module_utils.lines import besides, command_of

DOCUMENTATION = r"""
module: renewal_line
short_description: Take a line that runs certbot renew out of a file of cron's
description:
  - Removes one line, which C(certbot-jprs status) has named as a scheduler of C(certbot renew).
  - A line that does anything besides is left, and the module fails and says so. Sleeping, and
    reloading a web server after that, count as nothing besides, for the plugin does that better.
version_added: 1.0.0
author: The certbot-jprs developers
options:
  path:
    description: The file, a crontab or a script in C(/etc/cron.daily) and the like.
    type: path
    required: true
  line:
    description: The number of the line, from 1.
    type: int
    required: true
  state:
    description: What is to become of it.
    type: str
    choices: [absent]
    default: absent
attributes:
  check_mode:
    description: Says what it would remove.
    support: full
  diff_mode:
    description: Shows the line.
    support: full
"""

EXAMPLES = r"""
- name: Take a line out of root's crontab
  certbot_jprs.certbot.renewal_line:
    path: /var/spool/cron/crontabs/root
    line: 3
"""

RETURN = r"""
removed:
  description: The line.
  returned: always
  type: str
  sample: 0 0,12 * * * certbot renew --deploy-hook "sleep 10m;systemctl reload httpd"
"""


def main() -> None:
    """Runs the module."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "line": {"type": "int", "required": True},
            "state": {"type": "str", "choices": ["absent"], "default": "absent"},
        },
        supports_check_mode=True,
    )
    path = os.path.realpath(module.params["path"])
    number = module.params["line"]
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as stream:
            lines = stream.readlines()
    except OSError as error:
        module.fail_json(msg=f"{path} cannot be read: {error.strerror}.")
    if not 1 <= number <= len(lines) or "renew" not in lines[number - 1]:
        module.fail_json(
            msg=f"{path} was changed meanwhile: line {number} does not renew. Run this again."
        )
    line = lines[number - 1].rstrip("\n")
    more = besides(command_of(path, line))
    if more:
        module.fail_json(
            msg=f"{path}:{number} renews certificates, and something else does, too. It is left as "
            f"it is, for it does more: {'; '.join(more)}. Take the renewal out of it by hand. "
            f"The line: {line}"
        )
    if not module.check_mode:
        del lines[number - 1]
        # In the same directory, which changes with it: by that cron notices.
        descriptor, written = tempfile.mkstemp(prefix=".certbot-jprs-", dir=os.path.dirname(path))
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.writelines(lines)
        module.atomic_move(written, path)
    diff = {"before_header": path, "after_header": path, "before": line + "\n", "after": ""}
    module.exit_json(changed=True, removed=line, diff=diff)


if __name__ == "__main__":
    main()
