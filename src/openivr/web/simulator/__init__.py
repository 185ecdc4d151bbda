"""The simulator page: a softphone in the browser, stored tests, replay of recorded calls."""
