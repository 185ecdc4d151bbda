"""The RTP stream of one media session: sender, receiver, RTCP and the socket pair."""
