"""HTML → every screen that may see it.

relay.py reads the journal, hub.py knows who watches what, frame.py makes the bytes once, outlet.py writes them to all,
resume.py tells who comes back what has changed, stream.py is the door.
"""
