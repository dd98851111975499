"""What is done again and again at times of the clock: each time once, on any number of nodes."""
