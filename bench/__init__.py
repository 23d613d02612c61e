"""What it costs and how fast it is, measured beside others in one run: `make bench`. The load client is load.c."""
