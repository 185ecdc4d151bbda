"""The journal of the calls process: call events, registrations and messages, as lines of JSON."""
