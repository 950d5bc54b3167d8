"""`python -m clinician` is the command line."""

import sys

from clinician.cli import main

if __name__ == "__main__":
    sys.exit(main())
