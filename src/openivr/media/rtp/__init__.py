"""RTP and RTCP (RFC 3550): packet formats, reception statistics, ports and source addresses."""
