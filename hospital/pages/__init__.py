"""What people see and do in a browser."""
