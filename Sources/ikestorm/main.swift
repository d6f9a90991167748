print("ikestorm")
