"""Events over WebSocket: `subscribe` of the P-Series (monitor-events-via-websocket)."""
