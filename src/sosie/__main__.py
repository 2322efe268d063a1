"""`python -m sosie`: the command line."""

from sosie.cli import main

main()
