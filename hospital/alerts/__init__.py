"""What can be done to an alert: one file for each act, one journal line for each act. No Flask here."""
