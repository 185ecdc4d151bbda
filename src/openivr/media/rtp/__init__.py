"""RTP and RTCP (RFC 3550): packets, sockets, sender and receiver, latching."""
