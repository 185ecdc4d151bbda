"""The measurements behind the README: `make bench` runs all, each module also runs alone."""
