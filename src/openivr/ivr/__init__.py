"""The menu core: what a call does, as a pure function of what happened."""
