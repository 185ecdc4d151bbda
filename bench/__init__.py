"""What the README says about speed, as commands that anyone can run: `make bench`, or one module alone."""
