"""`oneflow-template`, as its entry point runs it."""

import sys

from oneflow.__main__ import template_main

if __name__ == "__main__":
    sys.exit(template_main())
