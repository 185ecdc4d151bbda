"""Records the audio of a media session into wav files."""
