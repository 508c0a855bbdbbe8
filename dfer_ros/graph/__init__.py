"""The graph of nodes as processes: started, fed, and listened to from outside."""
