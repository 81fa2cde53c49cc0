"""`python -m ferroflow`."""

import sys

from ferroflow._src.shim.command_line import main

if __name__ == "__main__":
    sys.exit(main())
