"""Access control for SIP requests: accounts, rate limits, bans."""
