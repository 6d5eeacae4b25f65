"""`python -m eardrum` is the same as `eardrum`."""

from eardrum.cli import main

if __name__ == "__main__":
    main()
