"""What is true of the FX market without any price: its clock, closures, sessions and the clocks of vendors."""
