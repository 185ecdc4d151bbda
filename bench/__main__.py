"""`python -m bench [NAME ...]`: runs all measurements, or the named ones, and prints tables."""

import pkgutil
import sys
from importlib import import_module

import bench

# Parts of measurements, and not one themselves.
PARTS = {
    "__main__",
    "machine",
    "timing",
    "reports",
    "bare",
    "phones",
    "office",
    "asterisk",
    "misfortune",
}


def main() -> None:
    found = [module.name for module in pkgutil.iter_modules(bench.__path__)]
    known = [name for name in found if name not in PARTS]
    for name in sys.argv[1:] or known:
        if name not in known:
            sys.exit(f"there is no bench {name}; there are {', '.join(known)}")
        import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()
