"""Mixes the audio of several sources, for a party of a call that hears more than one other."""
