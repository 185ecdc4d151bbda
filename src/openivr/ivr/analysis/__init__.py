"""Static analysis of menus: the check, the graph of destinations, reachability, toll fraud."""
