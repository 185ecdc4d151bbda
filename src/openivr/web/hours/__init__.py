"""The page Hours: what holds now and next, the switch by hand, a week, the holidays of a year."""
