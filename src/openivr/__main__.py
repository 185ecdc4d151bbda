"""`python -m openivr` is `openivr`."""

from openivr.cli import main

if __name__ == "__main__":
    main()
