"""Audio without a network: G.711, prompts as 20 ms frames, tones."""
