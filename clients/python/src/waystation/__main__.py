"""`python -m waystation` is the command `waystation`."""

from waystation.cli.main import main

main()
