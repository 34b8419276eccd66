"""`python -m normwright.cli`: the command line, for launchers that start modules."""

from normwright.cli import main

main()
