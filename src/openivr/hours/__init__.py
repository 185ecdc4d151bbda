"""Business hours and holidays: the period of a moment, as a pure function. Standard library only."""
