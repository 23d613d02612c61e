"""A hospital's alerts, from the monitor that raises one to every screen that may show it, and back."""
