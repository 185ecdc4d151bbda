"""Audio without a network: G.711, prompts as packets, tones, recordings."""
