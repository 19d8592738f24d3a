"""`python -m lstmtext` is the same as `lstmtext`."""

from lstmtext.cli.main import main

main()
