"""``python -m certbot_jprs``: the ``certbot-jprs`` command where its script is not in the path."""

import sys

from certbot_jprs.command.main import main

if __name__ == "__main__":
    sys.exit(main())
