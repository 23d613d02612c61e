"""An invented hospital that knocks at the real front door: its monitors and pumps send PCD-04 alarms over MLLP.

`ward` decides what happens (pure and seeded), `pcd04` writes it down as HL7, `sending` delivers it until it is
answered, and `run` plays it in time. It shares no code with the rooms that read the messages, only words and the
clock, so that it cannot make their mistakes for them. Every patient here is invented.
"""
