"""An invented hospital that knocks at the real front door: its monitors and pumps send PCD-01 and PCD-04 over MLLP.

A body (`physiology`) has `episodes`, by chance or as a `scenario` tells; devices read it (`sensors`); a `monitor`
raises alarms from the readings by its `limits`; `ward` puts the beds side by side. All of that is pure and seeded.
`pcd01` and `pcd04` write it down as HL7, `sending` delivers it until it is answered, and `run` plays it in time;
`replay` plays `recordings` instead. `staff` answers the alerts, at the `alerts_page`. It shares no code with the
rooms that read the messages, only words and the clock, so that it cannot make their mistakes for them. Every patient
here is invented.
"""
